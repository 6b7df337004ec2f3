/* How several futures are reduced to a representative one (attrs.futures.policy). */
#ifndef PLX_OPS_FUTURES_H
#define PLX_OPS_FUTURES_H

#include "ops/op.h"

enum { PLX__FUTURE_MEAN, PLX__FUTURE_MEDIAN, PLX__FUTURE_LEAST_RISK };

#endif
