import type { UseQueryResult } from '@tanstack/react-query';
import { useState } from 'react';
import type { Picture } from '../../api/gallery.ts';
import type { Settings } from '../../api/settings.ts';
import { href } from '../../router.ts';
import { bytes, clock, duration, usd } from '../../ui/format.ts';
import { Card } from '../../ui/layout.tsx';
import { ErrorBox, Loading } from '../../ui/states.tsx';
import { type SettingRow, settingRows, wordsOf } from './differences.ts';

/** What was sent for each picture and what came of it, the differences first. */
export function Differences(props: {
  readonly pictures: readonly Picture[];
  readonly settings: readonly UseQueryResult<Settings>[];
}) {
  const { pictures, settings } = props;
  const [hasAll, setHasAll] = useState(false);
  const failed = settings.find(({ isError }) => isError);
  if (failed) return <ErrorBox error={failed.error} onRetry={failed.refetch} />;
  const known = settings.flatMap(({ data }) => data ?? []);
  if (known.length < pictures.length) return <Loading what="the settings" />;
  const rows = settingRows(pictures.map((picture, at) => settingsShown(picture, known[at])));
  const differing = rows.filter(({ differs }) => differs);
  const prompts = wordsOf(pictures.map(({ prompt }) => prompt));
  const haveOnePrompt = new Set(pictures.map(({ prompt }) => prompt)).size === 1;
  return (
    <Card
      title="What differs"
      actions={
        <label className="compare-all">
          <input type="checkbox" checked={hasAll} onChange={({ target }) => setHasAll(target.checked)} /> Show all
          settings
        </label>
      }
    >
      <section className="table-frame" aria-label="Settings side by side" {...{ tabIndex: 0 }}>
        <table className="compare-table">
          <thead>
            <tr>
              <th scope="col">Setting</th>
              {pictures.map(({ generation, index }, at) => (
                <th key={`${generation}:${index}`} scope="col">
                  <a href={href('generations', generation)}>Picture {at + 1}</a>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {(hasAll || !haveOnePrompt) && (
              <tr>
                <th scope="row">Prompt</th>
                {prompts.map((words, at) => (
                  <td key={String(at)} className="compare-prompt">
                    {words.map(({ text, isOwn }, index) => (
                      <span key={String(index)}>{isOwn ? <mark>{text}</mark> : text} </span>
                    ))}
                  </td>
                ))}
              </tr>
            )}
            {(hasAll ? rows : differing).map((row) => (
              <Setting key={row.name} row={row} />
            ))}
          </tbody>
        </table>
      </section>
      {haveOnePrompt && differing.length === 0 && !hasAll && <p className="muted">Nothing: they were made alike.</p>}
    </Card>
  );
}

function Setting({ row: { name, values, differs } }: { readonly row: SettingRow }) {
  return (
    <tr>
      <th scope="row">
        {name}
        {differs && <span className="hidden-text"> (differs)</span>}
      </th>
      {values.map((value, at) => (
        <td key={String(at)} className={differs ? 'compare-differs' : 'muted'}>
          {value}
        </td>
      ))}
    </tr>
  );
}

function settingsShown(picture: Picture, settings: Settings | undefined): Readonly<Record<string, unknown>> {
  const { prompt: _, n: __, ...sent } = settings?.sent ?? {};
  return {
    Model: picture.route,
    Target: picture.target,
    Seed: settings?.seed,
    Picture: `${picture.width} × ${picture.height} ${picture.type}`,
    ...Object.fromEntries(Object.entries(sent).map(([name, value]) => [wordFor(name), value])),
    Price: settings && `${usd(settings.priceUsd)}${settings.pictures > 1 ? ` for ${settings.pictures}` : ''}`,
    Took: duration(settings?.durationMs),
    Bytes: bytes(picture.bytes),
    Made: clock(picture.created_at),
    Key: picture.caller,
  };
}

/** `negative_prompt` is `Negative prompt`. */
function wordFor(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
