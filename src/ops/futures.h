/* Which of several futures stands for all of them: attrs.i[0] of the op futures. */
#ifndef PLX_OPS_FUTURES_H
#define PLX_OPS_FUTURES_H

#include "ops/op.h"

enum { PLX__FUTURE_MEAN, PLX__FUTURE_MEDIAN, PLX__FUTURE_LEAST_RISK };

#endif
