/* usable.h: what of a configuration can be used. */
#ifndef CONFIG_USABLE_H
#define CONFIG_USABLE_H

#include "config/config.h"

/* usable_suite: version range, security level, credentials and keys leave this suite a use. */
bool usable_suite(const hf_config *config, const struct suite *suite);

/* usable_freeze narrows versions, suites, groups and signature schemes to what can be used and
 * writes that into config->body, groups and sigalgs; E_CONFIG, with the reason, if nothing is
 * left of one, or E_WEAK_KEY for a credential that is too weak for the security level. */
bool usable_freeze(hf_config *config, hf_error *err) __attribute__((warn_unused_result));

/* types_freeze writes the types of certificates into config->body; E_CONFIG where raw public keys would be taken
 * and nothing says which is the right one. */
bool types_freeze(hf_config *config, hf_error *err) __attribute__((warn_unused_result));

/* usable_undo brings groups and sigalgs back as they were set: for a copy, whose security level
 * may be another, and where freezing failed. */
void usable_undo(hf_config *config);

#endif
