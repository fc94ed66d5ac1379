/* applications.h: extensions that an application adds to the handshake. The object is there only where an
 * application has asked for one. */
#ifndef CONFIG_APPLICATIONS_H
#define CONFIG_APPLICATIONS_H

#include "handfast.h"

enum { APPLICATIONS_MAX = 32 }; /* bits of nego's masks */

/* Messages, as extension/extension.h numbers them. */
enum application_message {
    APPLICATION_CH = 1,
    APPLICATION_SH = 2,
    APPLICATION_HRR = 4,
    APPLICATION_EE = 8,
    APPLICATION_CR = 16,
    APPLICATION_CT = 32,
    APPLICATION_NST = 64,
    APPLICATION_SH12 = 128,
};

struct application_extension {
    uint16_t id;
    unsigned messages; /* mask: where it may stand */
};

/* In a Certificate `entry` counts the certificates, and `certificate` is that one (to be borrowed during the call);
 * elsewhere they are 0 and NULL. `version` is what is agreed on; in a
 * ClientHello that is being written, the highest that is offered. */
struct application_place {
    hf_conn *conn;
    uint16_t id, version;
    unsigned message;
    size_t entry;
    const hf_certificate *certificate;
    bool resumed;
};

struct applications {
    _Atomic int refs;
    /* add: 1 with the content in *out, which stays until `added` is called; 0: not in this message; -1: the
     * handshake ends with *alert. */
    int (*add)(const struct application_place *place, const uint8_t **out, size_t *len,
               uint8_t *alert, void *arg);
    void (*added)(const struct application_place *place, const uint8_t *content, void *arg);
    /* take: false ends the handshake with *alert. */
    bool (*take)(const struct application_place *place, const uint8_t *content, size_t len,
                 uint8_t *alert, void *arg);
    void *arg;
    size_t count;
    struct application_extension ext[APPLICATIONS_MAX];
};

struct applications *applications_ref(struct applications *a);
void applications_free(struct applications *a);

#endif
