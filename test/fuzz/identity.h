/* identity.h: fixed certificates and keys for the fuzz targets, so that what a seed or a crash found in
 * one process means the same in the next. They are worth nothing: everybody has the keys. Valid from
 * 2026-11-21 to 2051; Ed25519, whose signatures hold no chance. */
#ifndef IDENTITY_H
#define IDENTITY_H

/* clang-format off */
static const char root_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBojCCAUegAwIBAgIUJtXxRevNN5n7gDBYXdpOwbRNwhswCgYIKoZIzj0EAwIw\n"
    "HTEbMBkGA1UEAwwSaGFuZGZhc3QgZnV6eiByb290MCAXDTI2MTEyMTEwNDMxMFoY\n"
    "DzIwNTExMDIxMTA0MzEwWjAdMRswGQYDVQQDDBJoYW5kZmFzdCBmdXp6IHJvb3Qw\n"
    "WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQCkVBtztelRHabvwelYy7iojOMKDfT\n"
    "88rQZvJJs4Xj6Bs4rUc+QZA3xjgK+q84Kr5JOSKjiqG0/BOQuwI3xgnCo2MwYTAd\n"
    "BgNVHQ4EFgQUwkHrRg6sMDgTHIRCCO8S/46h6XYwHwYDVR0jBBgwFoAUwkHrRg6s\n"
    "MDgTHIRCCO8S/46h6XYwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYw\n"
    "CgYIKoZIzj0EAwIDSQAwRgIhAL+0tQ/Qx2wBmI1JK+eUCQlKmSLzi+gGJrvyxN5j\n"
    "8A91AiEAw6qELw0WnCHKRgUE0Zcl1BDUiqHuEdVhQm7S/1uD7+w=\n"
    "-----END CERTIFICATE-----\n";
static const char server_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBgzCCASmgAwIBAgIBDTAKBggqhkjOPQQDAjAdMRswGQYDVQQDDBJoYW5kZmFz\n"
    "dCBmdXp6IHJvb3QwIBcNMjYxMTIxMTA0MzEwWhgPMjA1MTA3MTMxMDQzMTBaMBkx\n"
    "FzAVBgNVBAMMDnNlcnZlci5leGFtcGxlMCowBQYDK2VwAyEAcrDW9Y3PR7dS5WRd\n"
    "zfjKYhDnKhGnXtR5Zcy/WGRWOGejgYowgYcwGQYDVR0RBBIwEIIOc2VydmVyLmV4\n"
    "YW1wbGUwCwYDVR0PBAQDAgeAMB0GA1UdJQQWMBQGCCsGAQUFBwMBBggrBgEFBQcD\n"
    "AjAdBgNVHQ4EFgQURJMTITKd+9qotOQnsc3rjhMxMVEwHwYDVR0jBBgwFoAUwkHr\n"
    "Rg6sMDgTHIRCCO8S/46h6XYwCgYIKoZIzj0EAwIDSAAwRQIhAOrN9wa6g73PmQNR\n"
    "jDyhfF1vNwuE+UogzyARMHVRwZkIAiAzk+2UdsfOTVYFWqrnwC24AF+UMnfy+kMs\n"
    "ZAGzd54wbg==\n"
    "-----END CERTIFICATE-----\n";
static const char client_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBhDCCASmgAwIBAgIBDjAKBggqhkjOPQQDAjAdMRswGQYDVQQDDBJoYW5kZmFz\n"
    "dCBmdXp6IHJvb3QwIBcNMjYxMTIxMTA0NDU3WhgPMjA1MTA3MTMxMDQ0NTdaMBkx\n"
    "FzAVBgNVBAMMDmNsaWVudC5leGFtcGxlMCowBQYDK2VwAyEASKFY/LWjKKIc7MLr\n"
    "mERHzXlMFJ5egktDRfXUnCRF/NKjgYowgYcwGQYDVR0RBBIwEIIOY2xpZW50LmV4\n"
    "YW1wbGUwCwYDVR0PBAQDAgeAMB0GA1UdJQQWMBQGCCsGAQUFBwMBBggrBgEFBQcD\n"
    "AjAdBgNVHQ4EFgQU2D9cT+1JtX+SOGiqzX14DR8LAIowHwYDVR0jBBgwFoAUwkHr\n"
    "Rg6sMDgTHIRCCO8S/46h6XYwCgYIKoZIzj0EAwIDSQAwRgIhAPNSgjtwQQeibY/D\n"
    "jKR//L1wXJbJKlAstozpvOUIRSxpAiEA0WIVXqPtWVIUCLxDRPqDIEPjwtW7xJUX\n"
    "CMfJg/eDKbA=\n"
    "-----END CERTIFICATE-----\n";
static const char server_key_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIE5jqFoRfoPQ2MBmWEqtyBYZe0xbaDU2+GiHKLlzdggR\n"
    "-----END PRIVATE KEY-----\n";
static const char client_key_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEILxem8NFO2WMFx7x0QOMTjuIhxGMpB7/20Z58CNzKDwi\n"
    "-----END PRIVATE KEY-----\n";
/* An OCSP response that says good about server_pem. */
static const unsigned char server_ocsp[] = {
    0x30, 0x82, 0x01, 0x33, 0x0a, 0x01, 0x00, 0xa0, 0x82, 0x01, 0x2c, 0x30,
    0x82, 0x01, 0x28, 0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30,
    0x01, 0x01, 0x04, 0x82, 0x01, 0x19, 0x30, 0x82, 0x01, 0x15, 0x30, 0x81,
    0xbd, 0xa1, 0x1f, 0x30, 0x1d, 0x31, 0x1b, 0x30, 0x19, 0x06, 0x03, 0x55,
    0x04, 0x03, 0x0c, 0x12, 0x68, 0x61, 0x6e, 0x64, 0x66, 0x61, 0x73, 0x74,
    0x20, 0x66, 0x75, 0x7a, 0x7a, 0x20, 0x72, 0x6f, 0x6f, 0x74, 0x18, 0x0f,
    0x32, 0x30, 0x32, 0x36, 0x31, 0x31, 0x32, 0x31, 0x31, 0x30, 0x34, 0x33,
    0x31, 0x30, 0x5a, 0x30, 0x64, 0x30, 0x62, 0x30, 0x3a, 0x30, 0x09, 0x06,
    0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14, 0x0f, 0x22,
    0x89, 0x3a, 0xa3, 0x6c, 0xec, 0x68, 0x1e, 0x31, 0xf9, 0x98, 0x93, 0xa8,
    0x70, 0x52, 0x85, 0x47, 0xb7, 0xd1, 0x04, 0x14, 0xc2, 0x41, 0xeb, 0x46,
    0x0e, 0xac, 0x30, 0x38, 0x13, 0x1c, 0x84, 0x42, 0x08, 0xef, 0x12, 0xff,
    0x8e, 0xa1, 0xe9, 0x76, 0x02, 0x01, 0x0d, 0x80, 0x00, 0x18, 0x0f, 0x32,
    0x30, 0x32, 0x36, 0x31, 0x31, 0x32, 0x31, 0x31, 0x30, 0x34, 0x33, 0x31,
    0x30, 0x5a, 0xa0, 0x11, 0x18, 0x0f, 0x32, 0x30, 0x34, 0x38, 0x31, 0x30,
    0x31, 0x36, 0x31, 0x30, 0x34, 0x33, 0x31, 0x30, 0x5a, 0xa1, 0x23, 0x30,
    0x21, 0x30, 0x1f, 0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30,
    0x01, 0x02, 0x04, 0x12, 0x04, 0x10, 0xcd, 0x62, 0x88, 0x0f, 0x75, 0x3d,
    0x4c, 0x8f, 0x5b, 0xa3, 0x4d, 0xa0, 0x61, 0x71, 0xf4, 0x5a, 0x30, 0x0a,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x03, 0x47,
    0x00, 0x30, 0x44, 0x02, 0x20, 0x2d, 0x70, 0xdd, 0xe5, 0xf0, 0x76, 0xf8,
    0xe6, 0x48, 0xe5, 0xc0, 0xcb, 0x85, 0x7e, 0x53, 0x64, 0x6f, 0x1a, 0x9a,
    0x6c, 0x02, 0xf3, 0x0e, 0x55, 0x43, 0x2d, 0x6d, 0x47, 0x38, 0xb4, 0xd0,
    0xe9, 0x02, 0x20, 0x36, 0x97, 0xcf, 0xee, 0x6f, 0xbf, 0x8d, 0xcd, 0xe4,
    0x5a, 0xf5, 0x7f, 0x85, 0xc5, 0x01, 0x8b, 0x52, 0x24, 0xfe, 0x56, 0x17,
    0xbd, 0x6d, 0x81, 0x33, 0x4b, 0xb0, 0xf2, 0x3f, 0xde, 0x57, 0x08
};
/* An identity for TLS 1.1 and 1.0 and for the RSA key exchange, with its own root. */
static const char old_root_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBjDCCATGgAwIBAgIUEFcZmd43MI17BkBXVtFO8gcpl1QwCgYIKoZIzj0EAwIw\n"
    "JDEiMCAGA1UEAwwZaGFuZGZhc3QgZnV6eiByb290IG9mIG9sZDAgFw0yNjExMjEx\n"
    "NDA4MzJaGA8yMDUxMDcxMzE0MDgzMlowJDEiMCAGA1UEAwwZaGFuZGZhc3QgZnV6\n"
    "eiByb290IG9mIG9sZDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFzCcOelfb6q\n"
    "/DG+gzYC68tEhNeLKBfu3VMuH8vOkR4x1ItxSOyfODpkZDA1lPSByj0799ApxYqf\n"
    "Yh26mkGGMzqjPzA9MA8GA1UdEwEB/wQFMAMBAf8wCwYDVR0PBAQDAgIEMB0GA1Ud\n"
    "DgQWBBSmtdbfbS9ZBhTmFjNBJMGKzaUKLTAKBggqhkjOPQQDAgNJADBGAiEAhpoi\n"
    "OdzTs0IACDRLFXiYOgk39qpJtCOmX8NN4NGN7aACIQCDa4qprFeueZ7chX0Lw2Dc\n"
    "LCWxRmttwxi9PlLBiA3irg==\n"
    "-----END CERTIFICATE-----\n";

static const char old_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIICkzCCAjqgAwIBAgIBDzAKBggqhkjOPQQDAjAkMSIwIAYDVQQDDBloYW5kZmFz\n"
    "dCBmdXp6IHJvb3Qgb2Ygb2xkMCAXDTI2MTEyMTE0MDgzM1oYDzIwNTEwNzEyMTQw\n"
    "ODMzWjAZMRcwFQYDVQQDDA5zZXJ2ZXIuZXhhbXBsZTCCASIwDQYJKoZIhvcNAQEB\n"
    "BQADggEPADCCAQoCggEBAKFjunvb+it3OdZYr4EU9s3YKViCNjieyqdxDyCIAPTm\n"
    "+19SNXRciGBjcn0+KoMwmmk9Q9hgkuf4ZmQzQshr670saDx/kkSXJmTQEN5oBMM+\n"
    "/fwby6ZxikzZfR8ADsX+4XGIcV/CBF4ge3Z3MOlZeSWsSI6gh9gvT9bYfXqveklz\n"
    "GQKsC2lhYxXFyMUSSDsFwY8E0m0h24BBED5MMeGVxLCxsEkyQHxDszdNhZqiU4sR\n"
    "TOg4uMNhbvEhmw8sMcY6qy/4Vmqd+BJAzfMjJG+2A3PyQpWfqUyZYnlpB7ad+9Vi\n"
    "XAlJx47k761awetyXdZ1IGYX95x3Ak0a3I/1LN7Qr9ECAwEAAaOBmjCBlzApBgNV\n"
    "HREEIjAggg5zZXJ2ZXIuZXhhbXBsZYIOY2xpZW50LmV4YW1wbGUwCwYDVR0PBAQD\n"
    "AgWgMB0GA1UdJQQWMBQGCCsGAQUFBwMBBggrBgEFBQcDAjAdBgNVHQ4EFgQUk14I\n"
    "AKRupdQyU9UkroXA2atBhSAwHwYDVR0jBBgwFoAUprXW320vWQYU5hYzQSTBis2l\n"
    "Ci0wCgYIKoZIzj0EAwIDRwAwRAIgLc+bMTOiv7eKFEHXNzYLB/2iGCcp8i8Sypzm\n"
    "bfSoABsCIDYBbPBVxNifdg0GFq5NAMC/k2vkG6CauvL2CmxL8Hoy\n"
    "-----END CERTIFICATE-----\n";

static const char old_key_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQChY7p72/ordznW\n"
    "WK+BFPbN2ClYgjY4nsqncQ8giAD05vtfUjV0XIhgY3J9PiqDMJppPUPYYJLn+GZk\n"
    "M0LIa+u9LGg8f5JElyZk0BDeaATDPv38G8umcYpM2X0fAA7F/uFxiHFfwgReIHt2\n"
    "dzDpWXklrEiOoIfYL0/W2H16r3pJcxkCrAtpYWMVxcjFEkg7BcGPBNJtIduAQRA+\n"
    "TDHhlcSwsbBJMkB8Q7M3TYWaolOLEUzoOLjDYW7xIZsPLDHGOqsv+FZqnfgSQM3z\n"
    "IyRvtgNz8kKVn6lMmWJ5aQe2nfvVYlwJSceO5O+tWsHrcl3WdSBmF/ecdwJNGtyP\n"
    "9Sze0K/RAgMBAAECggEAAPLaDtz7wH5Qp/53zCCBNsYEsGmBdNE6DrRsRbS+F6Al\n"
    "Rb0xB4ydA2ysOLTUmUQwHJhW48wYBmVXqvK8gm09wYU4fXQL5/lTOSeH+WyOFUEu\n"
    "6yHsFh/UWoE8BHuIYY4cq9Ot/5DkBUVelvxqbHZJeE6oMzQ1MseIDqvfJuAUIEjD\n"
    "0OwUWkBsU1Q7qMqMnxcru8uSxaLXT91DyQb3m3QSNzOnX4XVebDB8hu2x85qBn9h\n"
    "Lv75r+HhpsgydMaiXH7ZDVSQMfAYhPEpzuJHR2fFbpRL4JmiJ5J2XnuYTKFJcxnx\n"
    "Dko7bu3MsEYJAxBqmTYVoRIydmxMl+NgmWq16X3M4QKBgQDR5hZHYZuGgLmOAOCJ\n"
    "T9TjJba3jrw77H/mM0LTowzuxD9YyXITEgX//XZi0+BCJ4o/dP/TM80HkQlcnlTM\n"
    "M94CisrRKbhp/2cHWZc2qm+hp/Z2u9G6YrFNf39gkRBet5i8TV4QbWGHBiBEmYEB\n"
    "GRiCpaYmdIwr0IYvcqiaA11s4QKBgQDE1iEJqkefgGPYWXRrQ7zfmMzmeTELsnBg\n"
    "HFlNuxKL0qzhEvKGMwR/9ffL5A2Hb0eWGQRJmtryvTbo+Z6HMZEJn03dZokIc0Rd\n"
    "XKQnXo6KVrkFItgnTKgp/lJMU+PGNvbkkZiClvdP/hgg/Qv19tAQK6K3V7KgAu2m\n"
    "sdn5stMw8QKBgEAO6WO1jUJ6TKbi66PcYktEekQA4r+jCNGXeWCflVXVPMP7Dr51\n"
    "NLGQiC3XHczyxkVhjqXFXGBfyiyjAZwkhC/gbc9x3R80XBwpInYDg/ghC53m6jXo\n"
    "4tWVAKnW+9j8TTfCoN+AklAj9XsaIf3Uy98rcM6xqQnCJQGcC4qdVkjhAoGAd1Rl\n"
    "VQmxQCZC4Z9hr8GyGE/3MGYacL/t1qZ5EWGvHatL+WtWMjttp/HDFw2bkhbJbFqg\n"
    "Ocsyn2RMjLMAA2/uQMoeF3IY81GGCZ+nOOLfQUjQBCgaqMCVVlgDJpjZBoq95NXL\n"
    "gqfpKMqfcChYfvXxL0x06fe1p8H+t0ctIW7jD9ECgYEAttPDedKnVnYw1NBsQCIF\n"
    "NrFJcfTRwQMvDwhSfQZZ9fFklD09CEHFRyZVl5Z5EGrNipxctFePVaugrJbKvSYO\n"
    "ba6MFe3Smo0utYZsr+n1uDN1vV+0Ry3mtiraZoV+3/v7et637qbIK0ExjjfS5wTX\n"
    "+XMzzid5nZq5m75eiMfI+a0=\n"
    "-----END PRIVATE KEY-----\n";

/* clang-format on */

#endif
