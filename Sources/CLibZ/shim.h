#pragma once
// zlib takes input it does not change as const, when asked to.
#define ZLIB_CONST
#include <zlib.h>
