/** What a model costs, in US dollars: by the picture, or by the tokens its answers report. */
export type Price =
  | { readonly perImageUsd: number }
  | {
      readonly perMillionTokensUsd: {
        readonly textInput: number;
        readonly imageInput: number;
        readonly output: number;
      };
    };
