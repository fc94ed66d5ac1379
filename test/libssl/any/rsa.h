/* rsa.h: an RSA key of 2048 bits: making one takes longer than all the rest. */
#ifndef TEST_LIBSSL_ANY_RSA_H
#define TEST_LIBSSL_ANY_RSA_H

/* clang-format off */
static const char rsa_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQCyYnyBQ3isQR1Y\n"
    "L4BQVhzpHMLMkVwlJ9LN+46tRCgfq++lh/5OAvJKLzjaeoq52dyx1ucC//ACtIic\n"
    "n0JVj/JD5h9GvEsUCgG2Ec7OyzKY1Em9ri5WP6bdQwUyXG5b4jfW/UvLzo0hiFNk\n"
    "UMV4lA2ttlIbHtuMYYqISHPd1wzRdv2PuaomNWCHYYcn+rU9Cnwawhd28DsjLwbj\n"
    "Q85hBFXhGvuXAP/WWdeX2svl48+wdaXYRQScqzW6eXvBHpzPf1wfltZ95Ijr5c29\n"
    "ctTHK68Li1BE2rCzmvgX1WioIwsgaoUsAcCp55sK0LfEJjPNBoDKNhK8mzgefd8M\n"
    "MceDTZ/pAgMBAAECggEAHPl8Sa7A6hHFh25nxCTIm2Ctj3bI5cwbJJQIr8ITVlmi\n"
    "GlwFhXxbCIu1C1++KsPlYgmLCmSyAm56hh4kMyunaTn2uJGbDE03y/AGjHZa6JIK\n"
    "zEF/i0jZfLUHIg/7aPdMpKIN7rPFHr469V9dQ+GgeyfTHE6d0KaDTvGdyFnG3jrV\n"
    "NWsOJuuQhv1eSX9wqLpsndLTEdytU4XQ1Rn/25538hXVlSRaFXxwUi8LfYkYjn27\n"
    "IJb4qRboUJnAuvQQZxSH+bwLFYa1PAsQT58v6j7ZBLnJc9JkgKr8SHHe6OHOwcsR\n"
    "MZiCwWkf91F+7dnyWQotoInZQoelhQqhxZgvWT0nlQKBgQDYavdXOJynDjtm9lEf\n"
    "Bwq9aHVEKxGfbiYOjnu6lz5LZy8fhsmc4EiukGS5XTE33IA/DxcgEpjeg1kd9wlQ\n"
    "Wr0gA7YJd/mhkS6G/6ltQMEWMVX4WjsAKcXJYqmXD0Tx1MHdtqFy7HcD3LIW3lwl\n"
    "nG9OTrEve3lSUrVU30dxWAvPswKBgQDTAr9mevyQh11DW0wtYMF/icqOKdi2NEYq\n"
    "c3KoIXKmZUruxh+YyVLXogOuCz6mv4jCCySUbmC0xvYCJXMg8sCS94o0kFLfZnHQ\n"
    "kqe5HMaHjCaGaY6t5D6jSUKh8DIcMOWLz3hkZVoMNxpRXBarlwCD3uCjkGAorvH0\n"
    "059/eYYj8wKBgDEsZNTppRaEMlUbxKTjKbqNwI9jpdZu5bDLCSwFb38ci+WC7854\n"
    "W6tmXayMk0FZFb6+RAfikd+FQrt/RRt/8pcSoMsX+p2Oal78Olf7raPIQ/txLRTF\n"
    "aQ5wH46WRpkYOZCSDa8aMZSsEb8GeTOGjvfhA3uBd7iP2GnXbdlAIzbnAoGALK1E\n"
    "QTqBB0jh4kUOV/1Ieux9yqPpkop24L4Y5KhQUhLYTr38KqlVtPpEtTEETuH23r7l\n"
    "O9gy+ZO2urWbLrq3M2beCEsWgN578qFaicMh9ckizwrCfub4rDHyvb7RnU5tC7Ed\n"
    "2IPtEPEJzXgmBKawITurbHZBJdwEtsWn26GrWSkCgYB/PjospPSlWw8GQjQhFyGZ\n"
    "QQMf88ItrDnW4g956uBFJ9jvq+ZFWjV8pGIBOhVoTKT7uoo0lpHGbiw35QEBOsum\n"
    "JHpqqR1OcISRnZrZEV396VQilOHZJKZt7L4fpb83zV7aGWXV7729tV7saUCgIte6\n"
    "YHSHjWsXdyz58DDSJGU3rw==\n"
    "-----END PRIVATE KEY-----\n";
/* clang-format on */

#endif
