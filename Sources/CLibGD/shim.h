#pragma once
#include <gd.h>
#include <gd_errors.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// gd reports through one process-wide function that it calls on the decoding thread, so what it says is kept per
// thread. A `static` in a header exists once per importing source file: import this module from one file only.

enum {
    CLIBGD_MESSAGE = 1,       // gd or a codec had something to say
    CLIBGD_PREMATURE_END = 2  // libjpeg ran out of bytes and filled the rest of the image with gray
};

struct clibgd_report {
    unsigned flags;
    char first[200];  // the first message, without its line feed
};

// Inside a function, because Swift's C importer emits only the variables of the functions it emits.
static inline struct clibgd_report *_Nonnull clibgd_thread_report(void) {
    static _Thread_local struct clibgd_report report;
    return &report;
}

// Neither allocates nor prints; gd calls it in the middle of a decode.
static inline void clibgd_on_message(int priority, const char *format, va_list arguments) {
    if (priority > GD_WARNING) {
        return;  // notices and debugging
    }
    struct clibgd_report *report = clibgd_thread_report();
    char text[sizeof report->first];
    int count = vsnprintf(text, sizeof text, format, arguments);
    if (count < 0) {
        text[0] = 0;
    }
    if (!(report->flags & CLIBGD_MESSAGE)) {
        text[strcspn(text, "\r\n")] = 0;
        memcpy(report->first, text, sizeof text);
    }
    report->flags |= CLIBGD_MESSAGE;
    if (strstr(text, "Premature end")) {
        report->flags |= CLIBGD_PREMATURE_END;
    }
}

static inline void clibgd_install_message_hook(void) {
    gdSetErrorMethod(clibgd_on_message);
}

static inline void clibgd_clear_report(void) {
    memset(clibgd_thread_report(), 0, sizeof(struct clibgd_report));
}

static inline unsigned clibgd_report_flags(void) {
    return clibgd_thread_report()->flags;
}

// Valid until the next decode on this thread.
static inline const char *_Nonnull clibgd_report_message(void) {
    return clibgd_thread_report()->first;
}

// gd takes its input as a pointer to non-const but only reads; it makes no copy.
static inline gdImagePtr _Nullable clibgd_png(const void *_Nonnull bytes, int count) {
    return gdImageCreateFromPngPtr(count, (void *)bytes);
}

// 0: do not keep warnings to yourself. Without them a truncated file looks like a whole one.
static inline gdImagePtr _Nullable clibgd_jpeg(const void *_Nonnull bytes, int count) {
    return gdImageCreateFromJpegPtrEx(count, (void *)bytes, 0);
}

static inline gdImagePtr _Nullable clibgd_gif(const void *_Nonnull bytes, int count) {
    return gdImageCreateFromGifPtr(count, (void *)bytes);
}

static inline gdImagePtr _Nullable clibgd_webp(const void *_Nonnull bytes, int count) {
    return gdImageCreateFromWebpPtr(count, (void *)bytes);
}

static inline gdImagePtr _Nullable clibgd_bmp(const void *_Nonnull bytes, int count) {
    return gdImageCreateFromBmpPtr(count, (void *)bytes);
}

// gdImageSX and gdImageSY are macros, which Swift does not see.
static inline int clibgd_width(gdImagePtr _Nonnull image) {
    return gdImageSX(image);
}

static inline int clibgd_height(gdImagePtr _Nonnull image) {
    return gdImageSY(image);
}

// Volatile, or the optimiser removes the pair and says yes.
static inline int clibgd_can_allocate(size_t count) {
    void *volatile memory = malloc(count);
    int is_there = memory != NULL;
    free(memory);
    return is_there;
}
