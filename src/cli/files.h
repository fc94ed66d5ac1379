/* files.h: the files of one folder, and nothing outside of it. */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* files_open_root opens the folder; -1 with errno. */
int files_open_root(const char *path);

struct file {
    int fd; /* to read from; the caller closes it */
    uint64_t size;
    const char *type; /* MIME */
};

/* files_decode turns a request's target into a path below the root: percent-decoded, without query,
 * empty segments and "."; at least "" for the root. false: not a path, or one that leaves the root
 * (".."), or has a NUL in it. */
bool files_decode(const char *target, char *out, size_t size);

/* files_open opens a target's file: 200 with *out filled; 301 if a folder's name lacks its slash;
 * 400, 403, 404. Links are followed only within the root. */
int files_open(int root, const char *target, struct file *out);

#endif
