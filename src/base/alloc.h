/* Allocation of large blocks; a failure message gives the sizes. */
#ifndef PLX_BASE_ALLOC_H
#define PLX_BASE_ALLOC_H

#include "base/status.h"

/* Allocates like plx_platform_alloc. Where the system reports its memory, a request that cannot be
 * met is refused before anything is allocated. what names the caller in the message: "tensor". */
plx_status plx__alloc(plx__message *message, const char *what, int64_t bytes, void **out);

#endif
