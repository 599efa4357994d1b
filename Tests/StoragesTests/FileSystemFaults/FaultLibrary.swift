/// A library that is loaded before the C library and makes the system calls on files fail as its rules say.
///
/// The rules are lines of the file that `FAULTS` names, read anew for each call: `CALL PATTERN ACTION VALUE [TIMES]`.
/// The pattern is one of fnmatch(3) for the whole path; of `linkat` and renames for the new one. Calls have their own
/// names, but for `create` and `tmpfile`, which are `openat` with `O_CREAT` and `O_TMPFILE`, and `cached`, which is
/// `openat2` with `RESOLVE_CACHED`. Actions:
///
/// - `errno N`: the call is not made and fails.
/// - `after N`: the call is made, and fails all the same when it has succeeded, as over a network that lost the answer.
/// - `block PATH`: the call waits until there is such a file.
/// - `type N`, `device N`: what `fstatfs` and `fstat` say.
/// - `allow 0`: the call is made, whatever later rules say.
/// - `fold 1`: the name is taken in lower case.
enum FaultLibrary {
    static let source = #"""
        #define _GNU_SOURCE
        #include <ctype.h>
        #include <dlfcn.h>
        #include <errno.h>
        #include <fcntl.h>
        #include <fnmatch.h>
        #include <stdarg.h>
        #include <stdint.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/stat.h>
        #include <sys/syscall.h>
        #include <sys/vfs.h>
        #include <unistd.h>

        enum action { NONE, FAIL, AFTER, TYPE, DEVICE, FOLD };
        struct verdict { enum action action; long value; };

        static __thread int inside;
        static struct { unsigned long hash; int count; } counts[128];

        #define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
        // What the library itself asks the kernel must not come back into it.
        static long real_syscall(long number, long a, long b, long c, long d, long e, long f) {
            static long (*real)(long, ...);
            if (!real) real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
            return real(number, a, b, c, d, e, f);
        }

        static void path_of(int directory, const char *name, char *path, size_t size) {
            char link[64];
            path[0] = 0;
            if (name && name[0] == '/') { snprintf(path, size, "%s", name); return; }
            if (directory != AT_FDCWD) {
                snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
                ssize_t count = real_syscall(SYS_readlinkat, AT_FDCWD, (long)link, (long)path, (long)size - 1, 0, 0);
                path[count < 0 ? 0 : count] = 0;
            }
            if (name) {
                size_t length = strlen(path);
                snprintf(path + length, size - length, "%s%s", length ? "/" : "", name);
            }
        }

        // Whether a rule that holds for so many calls holds for this one.
        static int is_due(const char *line, int limit) {
            if (limit == 0) return 1;
            unsigned long hash = 5381;
            for (const char *c = line; *c; c++) hash = hash * 33 + (unsigned char)*c;
            for (int i = 0; i < 128; i++) {
                unsigned long free_slot = 0;
                __atomic_compare_exchange_n(&counts[i].hash, &free_slot, hash, 0, 5, 5);
                if (counts[i].hash == hash) return __atomic_fetch_add(&counts[i].count, 1, 5) < limit;
            }
            return 0;
        }

        static void block_until(const char *file) {
            char mark[4400];
            snprintf(mark, sizeof mark, "%s.waiting-%ld", file, real_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0));
            long made = real_syscall(SYS_openat, AT_FDCWD, (long)mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0600, 0, 0);
            if (made >= 0) real_syscall(SYS_close, made, 0, 0, 0, 0, 0);
            while (real_syscall(SYS_faccessat, AT_FDCWD, (long)file, F_OK, 0, 0, 0) != 0) usleep(2000);
        }

        static struct verdict judge(const char *call, int directory, const char *name) {
            struct verdict verdict = {NONE, 0};
            const char *file = getenv("FAULTS");
            if (inside || !file) return verdict;
            int saved = errno;
            inside = 1;
            char path[4200], rules[8192];
            path_of(directory, name, path, sizeof path);
            long number = real_syscall(SYS_openat, AT_FDCWD, (long)file, O_RDONLY | O_CLOEXEC, 0, 0, 0);
            if (number >= 0) {
                long count = real_syscall(SYS_read, number, (long)rules, sizeof rules - 1, 0, 0, 0);
                real_syscall(SYS_close, number, 0, 0, 0, 0, 0);
                rules[count < 0 ? 0 : count] = 0;
                char *rest = NULL;
                for (char *line = strtok_r(rules, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                    char its_call[64], pattern[2048], action[64], value[2048];
                    int limit = 0;
                    if (sscanf(line, "%63s %2047s %63s %2047s %d", its_call, pattern, action, value, &limit) < 4) continue;
                    if (strcmp(its_call, call) != 0 || fnmatch(pattern, path, 0) != 0 || !is_due(line, limit)) continue;
                    if (strcmp(action, "block") == 0) { block_until(value); continue; }
                    if (strcmp(action, "allow") == 0) break;
                    verdict.value = strtol(value, NULL, 0);
                    verdict.action = strcmp(action, "errno") == 0 ? FAIL
                        : strcmp(action, "after") == 0 ? AFTER
                        : strcmp(action, "type") == 0 ? TYPE
                        : strcmp(action, "device") == 0 ? DEVICE
                        : strcmp(action, "fold") == 0 ? FOLD : NONE;
                    break;
                }
            }
            inside = 0;
            errno = saved;
            return verdict;
        }

        #define JUDGED(call, directory, name, work) \
            struct verdict verdict = judge(call, directory, name); \
            if (verdict.action == FAIL) { errno = (int)verdict.value; return -1; } \
            __typeof__(work) result = work; \
            if (verdict.action == AFTER && result >= 0) { errno = (int)verdict.value; return -1; } \
            return result;

        static int open_judged(int directory, const char *path, int flags, unsigned mode) {
            const char *call = (flags & 020000000) ? "tmpfile" : (flags & O_CREAT) ? "create" : "openat";
            JUDGED(call, directory, path, (int)real_syscall(SYS_openat, directory, (long)path, flags, mode, 0, 0))
        }
        int openat(int directory, const char *path, int flags, ...) {
            va_list list;
            va_start(list, flags);
            unsigned mode = va_arg(list, unsigned);
            va_end(list);
            return open_judged(directory, path, flags, mode);
        }
        int openat64(int directory, const char *path, int flags, ...) {
            va_list list;
            va_start(list, flags);
            unsigned mode = va_arg(list, unsigned);
            va_end(list);
            return open_judged(directory, path, flags, mode);
        }
        int linkat(int old, const char *name, int new, const char *new_name, int flags) {
            JUDGED("linkat", new, new_name, REAL(linkat)(old, name, new, new_name, flags))
        }
        int renameat(int old, const char *name, int new, const char *new_name) {
            JUDGED("renameat", new, new_name, REAL(renameat)(old, name, new, new_name))
        }
        int unlinkat(int directory, const char *name, int flags) {
            JUDGED("unlinkat", directory, name, REAL(unlinkat)(directory, name, flags))
        }
        int mkdirat(int directory, const char *name, mode_t mode) {
            JUDGED("mkdirat", directory, name, REAL(mkdirat)(directory, name, mode))
        }
        int fsync(int descriptor) { JUDGED("fsync", descriptor, NULL, REAL(fsync)(descriptor)) }
        int futimens(int descriptor, const struct timespec times[2]) {
            JUDGED("futimens", descriptor, NULL, REAL(futimens)(descriptor, times))
        }
        int close(int descriptor) { JUDGED("close", descriptor, NULL, (int)real_syscall(SYS_close, descriptor, 0, 0, 0, 0, 0)) }
        ssize_t write(int descriptor, const void *bytes, size_t count) {
            JUDGED("write", descriptor, NULL, (ssize_t)real_syscall(SYS_write, descriptor, (long)bytes, (long)count, 0, 0, 0))
        }
        ssize_t pread(int descriptor, void *bytes, size_t count, off_t offset) {
            JUDGED("pread", descriptor, NULL, REAL(pread)(descriptor, bytes, count, offset))
        }
        ssize_t pread64(int descriptor, void *bytes, size_t count, off64_t offset) {
            JUDGED("pread", descriptor, NULL, REAL(pread)(descriptor, bytes, count, offset))
        }
        static int fstat_judged(int descriptor, struct stat *status) {
            struct verdict verdict = judge("fstat", descriptor, NULL);
            if (verdict.action == FAIL) { errno = (int)verdict.value; return -1; }
            int result = REAL(fstat)(descriptor, status);
            if (verdict.action == DEVICE) status->st_dev = (dev_t)verdict.value;
            return result;
        }
        int fstat(int descriptor, struct stat *status) { return fstat_judged(descriptor, status); }
        int fstat64(int descriptor, struct stat64 *status) { return fstat_judged(descriptor, (struct stat *)status); }
        int fstatat(int directory, const char *restrict name, struct stat *restrict status, int flags) {
            struct verdict verdict = judge("fstatat", directory, name);
            if (verdict.action == FAIL) { errno = (int)verdict.value; return -1; }
            char folded[4200];
            snprintf(folded, sizeof folded, "%s", name);
            if (verdict.action == FOLD) for (char *c = folded; *c; c++) *c = (char)tolower((unsigned char)*c);
            return REAL(fstatat)(directory, folded, status, flags);
        }
        int fstatat64(int directory, const char *restrict name, struct stat64 *restrict status, int flags) {
            return fstatat(directory, name, (struct stat *)status, flags);
        }
        static int fstatfs_judged(int descriptor, struct statfs *status) {
            struct verdict verdict = judge("fstatfs", descriptor, NULL);
            if (verdict.action == FAIL) { errno = (int)verdict.value; return -1; }
            int result = REAL(fstatfs)(descriptor, status);
            if (verdict.action == TYPE) status->f_type = verdict.value;
            return result;
        }
        int fstatfs(int descriptor, struct statfs *status) { return fstatfs_judged(descriptor, status); }
        int fstatfs64(int descriptor, struct statfs64 *status) { return fstatfs_judged(descriptor, (struct statfs *)status); }

        long syscall(long number, ...) {
            va_list list;
            va_start(list, number);
            long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long);
            long d = va_arg(list, long), e = va_arg(list, long), f = va_arg(list, long);
            va_end(list);
            const char *call = NULL, *name = NULL;
            int directory = (int)a;
            if (number == 437) {
                int is_cached = (((uint64_t *)c)[2] & 0x20) != 0;
                call = is_cached ? "cached" : "openat";
                name = (const char *)b;
            } else if (number == SYS_renameat2) {
                call = "renameat2";
                directory = (int)c;
                name = (const char *)d;
            }
            if (!call) return real_syscall(number, a, b, c, d, e, f);
            JUDGED(call, directory, name, real_syscall(number, a, b, c, d, e, f))
        }

        """#
}
