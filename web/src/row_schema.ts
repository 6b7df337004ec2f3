/** The schema of result rows, compiled when the page is built. */
import validate from 'virtual:row-schema';
import type { RowValidator } from './result_file.js';

export const validateRow: RowValidator = validate;
