import { t } from '../../i18n';
import { limits, type Schema } from './openapi';
import { Type } from './Type';

export function Shapes({ schemas }: { schemas: Record<string, Schema> }) {
  return (
    <section class="card" id="shapes">
      <h2>{t('docs.shapes')}</h2>
      <p class="prose">{t('docs.shapes_words')}</p>
      {Object.entries(schemas).map(([name, schema]) => (
        <article key={name} class="operation" id={`shape-${name}`} data-testid={`docs-shape-${name}`}>
          <h3>
            <code>{name}</code>
          </h3>
          {schema.description && <p class="quiet-label">{schema.description}</p>}
          {schema.properties ? <Fields schema={schema} /> : <Alone schema={schema} />}
        </article>
      ))}
    </section>
  );
}

function Alone({ schema }: { schema: Schema }) {
  return (
    <code>
      <Type schema={schema} />
    </code>
  );
}

function Fields({ schema: { properties, required = [] } }: { schema: Schema }) {
  return (
    <dl class="docs-fields">
      {Object.entries(properties ?? {}).map(([name, field]) => (
        <div key={name}>
          <dt>
            <code>
              {name}
              {!required.includes(name) && '?'}
            </code>
          </dt>
          <dd>
            <code>
              <Type schema={field} />
            </code>{' '}
            <span class="quiet-label">
              {limits(field)} {field.description}
            </span>
          </dd>
        </div>
      ))}
    </dl>
  );
}
