/* nearest.h: the word that somebody probably meant. */
#ifndef BYTES_NEAREST_H
#define BYTES_NEAREST_H

#include "bytes/bytes.h"

/* nearest_word returns the candidate that is most like a mistyped word, or NULL if none is. */
const char *nearest_word(const char *word, const char *const *candidates, size_t count);

#endif
