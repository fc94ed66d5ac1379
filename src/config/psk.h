/* psk.h: the life of a list of external pre-shared keys; config.h has what is in it. */
#ifndef CONFIG_PSK_H
#define CONFIG_PSK_H

#include "config/config.h"

struct psks *psks_ref(struct psks *psks);
void psks_free(struct psks *psks);

#endif
