/* security.h: the security levels that libcrypto's users know (0 to 5), in one place: what each admits.
 *
 *   level   bits   keys of RSA and DH   of EC   and besides
 *   0       0      any                  any     everything: TLS 1.0, SHA-1, anonymous and NULL suites
 *   1       80     1024                 160     no anonymous and no NULL suites, no TLS 1.0 and 1.1 (their
 *                                               signatures use SHA-1 and MD5)
 *   2       112    2048                 224     the default
 *   3       128    3072                 256     forward secrecy only
 *   4       192    7680                 384     no HMAC-SHA-1
 *   5       256    15360                512
 */
#ifndef CONFIG_SECURITY_H
#define CONFIG_SECURITY_H

#include "config/config.h"

unsigned security_bits(uint8_t level); /* 0, 80, 112, 128, 192, 256 */
bool security_allows_version(uint8_t level, uint16_t version);
bool security_allows_suite(uint8_t level, const struct suite *suite);
bool security_allows_group(uint8_t level, const struct group *group);
bool security_allows_sigalg(uint8_t level, const struct sigalg *alg);
/* security_allows_key: a certificate's or a DH key of so many bits. */
bool security_allows_key(uint8_t level, enum key_kind kind, unsigned bits);
bool security_allows_dh(uint8_t level, unsigned bits);

#endif
