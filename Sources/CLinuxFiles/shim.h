#pragma once

// System calls of Linux that the C library does not offer everywhere, and that Swift could not call by the variadic
// syscall(2). They return a negative errno instead of setting it; elsewhere than on 64-bit Linux, -ENOSYS.

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__linux__) && defined(__LP64__)
#include <sys/uio.h>
extern long syscall(long number, ...);

// openat2(2): resolves a whole path beneath a directory, following no symbolic link. With `cached` it does so only when
// that needs no disk, and returns -EAGAIN otherwise. Linux 5.6, `cached` 5.12.
static inline int clinux_open_beneath(int directory, const char *path, int flags, unsigned int mode, int cached) {
    // struct open_how of linux/openat2.h, which old headers lack.
    struct { uint64_t flags, mode, resolve; } how;
    how.flags = (uint64_t)(unsigned int)flags;
    how.mode = mode;
    // RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH, and RESOLVE_CACHED | RESOLVE_NO_XDEV: what another
    // file system answers without waiting is not known.
    how.resolve = 0x02 | 0x04 | 0x08 | (cached ? 0x20 | 0x01 : 0);
    // 437 is openat2 on every architecture that has it.
    long result = syscall(437, directory, path, &how, sizeof how);
    return result < 0 ? -errno : (int)result;
}

// preadv2(2) with RWF_NOWAIT: reads what is in the page cache, and returns -EAGAIN when that is nothing.
static inline ssize_t clinux_read_cached(int descriptor, void *bytes, size_t count, int64_t offset) {
    struct iovec vector = {bytes, count};
#if defined(__x86_64__)
    long number = 327;
#else
    long number = 286; // the generic table: arm64, riscv64, loongarch64
#endif
    long result = syscall(number, descriptor, &vector, 1ul, (long)offset, 0l, 0x08);
    return result < 0 ? -errno : result;
}

// renameat2(2) with RENAME_NOREPLACE: -EEXIST when the new name is taken, -EINVAL on a file system without it.
static inline int clinux_rename_exclusively(int directory, const char *name, int new_directory, const char *new_name) {
#if defined(__x86_64__)
    long number = 316;
#else
    long number = 276; // the generic table
#endif
    long result = syscall(number, directory, name, new_directory, new_name, 1l);
    return result < 0 ? -errno : 0;
}
#else
#include <sys/types.h>
static inline int clinux_open_beneath(int directory, const char *path, int flags, unsigned int mode, int cached) {
    (void)directory, (void)path, (void)flags, (void)mode, (void)cached;
    return -ENOSYS;
}
static inline ssize_t clinux_read_cached(int descriptor, void *bytes, size_t count, int64_t offset) {
    (void)descriptor, (void)bytes, (void)count, (void)offset;
    return -ENOSYS;
}
static inline int clinux_rename_exclusively(int directory, const char *name, int new_directory, const char *new_name) {
    (void)directory, (void)name, (void)new_directory, (void)new_name;
    return -ENOSYS;
}
#endif

// What fstatfs(2) says, in plain integers: Swift's module of the C library lacks the call.
struct clinux_file_system {
    uint64_t type, block_size, free_blocks, files, free_files, name_length;
};

#if defined(__linux__)
#include <sys/vfs.h>
static inline int clinux_describe(int descriptor, struct clinux_file_system *result) {
    struct statfs found;
    if (fstatfs(descriptor, &found) != 0) return -errno;
    result->type = (uint32_t)found.f_type;
    result->block_size = (uint64_t)(found.f_frsize != 0 ? found.f_frsize : found.f_bsize);
    result->free_blocks = (uint64_t)found.f_bavail;
    result->files = (uint64_t)found.f_files;
    result->free_files = (uint64_t)found.f_ffree;
    result->name_length = (uint64_t)found.f_namelen;
    return 0;
}
#else
static inline int clinux_describe(int descriptor, struct clinux_file_system *result) {
    (void)descriptor, (void)result;
    return -ENOSYS;
}
#endif
