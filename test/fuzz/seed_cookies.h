/* seed_cookies.h: cookies of a server that forgets its clients. */
#ifndef SEED_COOKIES_H
#define SEED_COOKIES_H

#include "seed_certificates.h"

/* seed_cookies puts some of each kind, without the MAC, which the target puts behind them. */
void seed_cookies(seed_fn put);

#endif
