declare module 'virtual:row-schema' {
  const validate: import('./result_file.js').RowValidator;
  export default validate;
}
