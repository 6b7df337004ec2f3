/** The worker of an engine with tasks and suites; see worker.ts. */
import { expose } from 'comlink';
import glue from 'plx-glue';
import { BenchEngine } from './bench_engine.js';
import { serve } from './rpc_errors.js';

if (!self.name?.startsWith('em-pthread')) expose(serve(new BenchEngine(glue)));
