#pragma once
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stddef.h>

// The one-shot HMAC with sizes in size_t and its result as a truth value, for Swift.
static inline int stored_files_hmac_sha256(const EVP_MD *digest, const void *key, size_t key_length,
                                           const unsigned char *data, size_t data_length,
                                           unsigned char output[32]) {
    unsigned int length = 32;
    if (key_length > 0x7fffffff) return 0;
    return HMAC(digest, key, (int)key_length, data, data_length, output, &length) != NULL && length == 32;
}
