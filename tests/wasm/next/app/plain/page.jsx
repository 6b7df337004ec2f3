/** The same page without the headers that isolate it. */
export { default } from '../page.jsx';
