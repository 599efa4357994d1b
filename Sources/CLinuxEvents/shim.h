#pragma once

// epoll(7) and eventfd(2), which the module of the C library does not have.

#if defined(__linux__)
#include <sys/epoll.h>
#include <sys/eventfd.h>
#endif
