/* descriptors.h: how many files and sockets the system lets this process have. */
#ifndef CLI_DESCRIPTORS_H
#define CLI_DESCRIPTORS_H

#include <stddef.h>

/* descriptors_raise raises the limit as far as it goes and returns it; SIZE_MAX: there is none, or it is unknown. */
size_t descriptors_raise(void);

#endif
