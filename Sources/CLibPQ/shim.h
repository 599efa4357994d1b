#pragma once
#include <libpq-fe.h>
#include <stddef.h>
#include <string.h>

// The PG_DIAG_* macros are character constants, which the Swift importer skips.
enum {
    clibpq_diag_severity = PG_DIAG_SEVERITY_NONLOCALIZED,
    clibpq_diag_sqlstate = PG_DIAG_SQLSTATE,
    clibpq_diag_message = PG_DIAG_MESSAGE_PRIMARY,
    clibpq_diag_hint = PG_DIAG_MESSAGE_HINT,
    clibpq_diag_constraint = PG_DIAG_CONSTRAINT_NAME,
    clibpq_diag_table = PG_DIAG_TABLE_NAME,
    clibpq_diag_column = PG_DIAG_COLUMN_NAME,
    clibpq_diag_function = PG_DIAG_SOURCE_FUNCTION,
};

// One call instead of three for a cell. Returns the bytes, or NULL when the cell is SQL NULL.
static inline const void *clibpq_cell(const PGresult *result, int row, int column, int *length) {
    if (PQgetisnull(result, row, column)) {
        *length = 0;
        return NULL;
    }
    *length = PQgetlength(result, row, column);
    return PQgetvalue(result, row, column);
}

// Whether a result is that of a command, by its tag.
static inline int clibpq_is_command(PGresult *result, const char *tag) {
    return strcmp(PQcmdStatus(result), tag) == 0;
}

// Cancelling: libpq 17 has an encrypted request, older versions one in the clear. Both are used as
// create (under the connection's lock), send (blocks, on a private thread), free.
#ifdef LIBPQ_HAS_ASYNC_CANCEL
static inline void *clibpq_cancel_create(PGconn *connection) { return PQcancelCreate(connection); }
static inline int clibpq_cancel_send(void *handle) { return PQcancelBlocking((PGcancelConn *)handle); }
static inline void clibpq_cancel_free(void *handle) { PQcancelFinish((PGcancelConn *)handle); }
#else
static inline void *clibpq_cancel_create(PGconn *connection) { return PQgetCancel(connection); }
static inline int clibpq_cancel_send(void *handle) {
    char message[256];
    return PQcancel((PGcancel *)handle, message, sizeof message);
}
static inline void clibpq_cancel_free(void *handle) { PQfreeCancel((PGcancel *)handle); }
#endif
