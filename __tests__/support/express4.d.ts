/** Express 4 under a second name: its own types would clash with those of Express 5. */
declare module 'express4' {
  export { default } from 'express';
}
