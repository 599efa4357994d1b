/* syncfs(2). The C library declares it for _GNU_SOURCE only, which Swift's importer does not define. */
#ifndef CSYNCFS_SHIM_H
#define CSYNCFS_SHIM_H

#ifdef __linux__
extern int syncfs(int fd);
#endif

#endif
