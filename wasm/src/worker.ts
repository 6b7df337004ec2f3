/**
 * The engine's worker. There is one file per tier, which also serves as the worker of each thread.
 * The glue code tells the two apart by the worker's name; a thread must not answer calls.
 */
import { expose } from 'comlink';
import glue from 'plx-glue';
import { Engine } from './engine.js';
import { serve } from './rpc_errors.js';

if (!self.name?.startsWith('em-pthread')) expose(serve(new Engine(glue)));
