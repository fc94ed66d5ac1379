/* keylog.h: the file that a key log is appended to, shared by derived configurations. */
#ifndef CONFIG_KEYLOG_H
#define CONFIG_KEYLOG_H

#include "config/config.h"

/* keylog_file_open opens or creates it (mode 0600). E_FILE with os_errno, or E_CONFIG in a process
 * that runs with more rights than its user. */
struct keylog_file *keylog_file_open(const char *path, hf_error *err);
struct keylog_file *keylog_file_ref(struct keylog_file *file);
void keylog_file_free(struct keylog_file *file);

#endif
