/** What a model costs, in US dollars: by the picture, or by the tokens its answers report. */
export type Price =
  | { readonly perImageUsd: number }
  | {
      readonly perMillionTokensUsd: {
        readonly textInput: number;
        /** Of input that the provider had in its cache; absent: like other input. */
        readonly cachedInput?: number;
        readonly imageInput: number;
        readonly output: number;
      };
    };
