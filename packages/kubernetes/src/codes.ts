/** Codes that this package raises, with what each one means. */
export const codes = {
  API_REFUSED: 'the API server for tests refused a request; the details hold its status code and reason',
  BAD_TEST_SERVER: 'the API server for tests was given an option that it cannot work with',
} as const
