/**
 * The engine's worker: one file per tier, which is also the worker of each of its threads. The glue
 * code tells the two apart by the worker's name; a thread must not answer calls.
 */
import { expose } from 'comlink';
import glue from 'plx-glue';
import { Engine } from './engine.js';
import { serve } from './rpc_errors.js';

if (!self.name?.startsWith('em-pthread')) expose(serve(new Engine(glue)));
