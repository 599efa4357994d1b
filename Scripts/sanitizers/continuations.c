// Lets the thread sanitizer see that resuming a continuation comes before what its task does next.
//
// Swift's runtime tells it so (__tsan_release) when a continuation is resumed, and (__tsan_acquire) when the task is
// run again. But a task that finds its continuation resumed already is not run again: it just goes on, after an atomic
// load inside the runtime, which is not instrumented. Everything that was handed over then looks like a race, whatever
// the locks. (stdlib/public/Concurrency/Task.cpp: swift_continuation_awaitImpl, "we can resume immediately".)
//
// Scripts/test links this into what it builds with --sanitize=thread. It takes the place of the runtime's function and
// has it go on by way of `resumed`, which says what is missing. Only the first two fields of an asynchronous context
// are touched, which are part of Swift's ABI. A task that has to wait is run again by the pointer that its task got
// before, and never comes here.

#define _GNU_SOURCE
#include <dlfcn.h>

#define ASYNC __attribute__((swiftasynccall))

struct context {
    struct context *parent;
    ASYNC void (*resume)(__attribute__((swift_async_context)) struct context *);
};

// Absent from executables without the sanitizer, such as the plugins of the compiler.
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((swiftcall)) void *swift_task_getCurrent(void);

static ASYNC void (*runtime_await)(struct context *);
static _Thread_local ASYNC void (*next)(__attribute__((swift_async_context)) struct context *);

__attribute__((constructor)) static void find_runtime(void) {
    *(void **)&runtime_await = dlsym(RTLD_NEXT, "swift_continuation_await");
}

static ASYNC void resumed(__attribute__((swift_async_context)) struct context *context) {
    if (__tsan_acquire) __tsan_acquire(swift_task_getCurrent());
    __attribute__((musttail)) return next(context);
}

// Its argument is an ordinary one, unlike that of what it continues with.
ASYNC void swift_continuation_await(struct context *context) {
    next = context->resume;
    context->resume = resumed;
    __attribute__((musttail)) return runtime_await(context);
}
