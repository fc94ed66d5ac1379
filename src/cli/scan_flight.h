/* scan_flight.h: what a server answers a hello with, read as it comes in, without any I/O. */
#ifndef CLI_SCAN_FLIGHT_H
#define CLI_SCAN_FLIGHT_H

#include "cli/scan.h"

struct flight {
    struct answer *a;
    /* to ServerHelloDone, or in TLS 1.3 the end of what fits; else to the ServerHello */
    bool whole;
    bool ssl2; /* the answer is SSL 2.0's */
    bool over; /* no more is wanted */
    struct buffer in, handshake;
    size_t taken;                       /* bytes in all */
    struct numbers *specs, *specs_high; /* SSL 2.0: where its ciphers go */
};

/* flight_feed takes bytes from the server and fills the answer. true: more are wanted. */
bool flight_feed(struct flight *f, const uint8_t *p, size_t len);
void flight_clear(struct flight *f);

#endif
