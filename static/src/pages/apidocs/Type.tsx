import { type Schema, written } from './openapi';

/** A written type; the shapes it names are links to their fields. */
export function Type({ schema }: { schema: Schema }) {
  return (
    <>
      {written(schema).map(({ text, shape }, index) =>
        shape ? (
          <a key={index} href={`#shape-${shape}`}>
            {text}
          </a>
        ) : (
          text
        ),
      )}
    </>
  );
}
