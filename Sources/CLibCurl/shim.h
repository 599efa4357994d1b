#pragma once
#include <curl/curl.h>
#include <stddef.h>

// curl_easy_setopt and its relatives are variadic, which Swift does not import: one function a type of argument.

static inline CURLcode stored_files_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode stored_files_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode stored_files_curl_set_string(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode stored_files_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode stored_files_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

typedef size_t (*stored_files_curl_data_callback)(char *data, size_t size, size_t count, void *context);
typedef int (*stored_files_curl_seek_callback)(void *context, curl_off_t offset, int origin);
typedef int (*stored_files_curl_request_callback)(void *context, char *address, char *local_address, int port, int local_port);

static inline CURLcode stored_files_curl_set_data_callback(CURL *handle, CURLoption option,
                                                           stored_files_curl_data_callback callback) {
    return curl_easy_setopt(handle, option, callback);
}
static inline CURLcode stored_files_curl_set_seek_callback(CURL *handle, stored_files_curl_seek_callback callback) {
    return curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, callback);
}
static inline CURLcode stored_files_curl_set_request_callback(CURL *handle, stored_files_curl_request_callback callback) {
    return curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, callback);
}

static inline CURLcode stored_files_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}
static inline CURLcode stored_files_curl_get_offset(CURL *handle, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(handle, info, value);
}
static inline CURLcode stored_files_curl_get_pointer(CURL *handle, CURLINFO info, void **value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLMcode stored_files_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
typedef int (*stored_files_curl_socket_callback)(CURL *handle, curl_socket_t socket, int what, void *context, void *own);
typedef int (*stored_files_curl_timer_callback)(CURLM *multi, long milliseconds, void *context);

// What a loop of one's own has to know of the sockets and of the time.
static inline CURLMcode stored_files_curl_multi_set_callbacks(CURLM *multi, stored_files_curl_socket_callback socket,
                                                              stored_files_curl_timer_callback timer, void *context) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket);
    if (code == CURLM_OK) code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
    if (code == CURLM_OK) code = curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer);
    if (code == CURLM_OK) code = curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
    return code;
}
static inline CURLSHcode stored_files_curl_share(CURLSH *share, curl_lock_data data) {
    return curl_share_setopt(share, CURLSHOPT_SHARE, data);
}

// CURL_GLOBAL_DEFAULT is a macro over other macros.
static inline CURLcode stored_files_curl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

// Whether different threads may begin with libcurl at the same time (libcurl 7.84 and newer, where atomics are).
static inline int stored_files_curl_is_thread_safe(void) {
    return (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_THREADSAFE) != 0;
}

// The file of certificates that libcurl was built to trust, or NULL. (CURLVERSION_NOW is a macro over an enumerator.)
static inline const char *stored_files_curl_certificate_file(void) {
    return curl_version_info(CURLVERSION_NOW)->cainfo;
}
