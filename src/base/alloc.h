/* Large pieces of memory, whose lack is told with the numbers. */
#ifndef PLX_BASE_ALLOC_H
#define PLX_BASE_ALLOC_H

#include "base/status.h"

/* Memory as plx_platform_alloc gives it. Where the system tells how much there is, a request that
 * cannot be met is refused before any is taken. what names who asks, for the sentence: "tensor". */
plx_status plx__alloc(plx__message *message, const char *what, int64_t bytes, void **out);

#endif
