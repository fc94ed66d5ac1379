/* settings.h: from options to configurations. */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include "cli/options.h"
#include "handfast.h"

/* settings_client and settings_server make a configuration from the options. NULL and *err on
 * failure. The caller may set more, then settings_freeze finds out whether all of it is good. */
hf_config *settings_client(const struct options *o, hf_error *err);
hf_config *settings_server(const struct options *o, hf_error *err);
/* settings_server_like makes one that shares ticket keys and sessions with another one, which has nothing else. */
hf_config *settings_server_like(const struct options *o, const hf_config *other, hf_error *err);
/* settings_suites makes one that has only what the options say of versions and the security level. */
hf_config *settings_suites(const struct options *o, hf_error *err);
bool settings_freeze(hf_config *config, hf_error *err);

/* settings_verification sets what the peer's certificates must meet besides being trusted. */
bool settings_verification(hf_config *config, const struct options *o, hf_error *err);

/* settings_read_file reads a whole file of at most `limit` bytes; free() it. NULL and *err (E_FILE,
 * os_errno) on failure. */
unsigned char *settings_read_file(const char *path, size_t limit, size_t *len, hf_error *err);

/* settings_read_stream does the same with what is open already; it closes nothing. */
unsigned char *settings_read_stream(FILE *f, const char *path, size_t limit, size_t *len,
                                    hf_error *err);

/* settings_write_secret_file replaces a file that only its owner may read. */
bool settings_write_secret_file(const char *path, const void *p, size_t len, hf_error *err);

/* settings_versions is the range that the options ask for; false: they ask for none. */
bool settings_versions(const struct options *o, uint16_t *lowest, uint16_t *highest);

/* settings_fail fills an error of the command's own. */
bool settings_fail(hf_error *err, hf_code code, int os_errno, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
