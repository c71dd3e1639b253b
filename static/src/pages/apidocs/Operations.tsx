import { known, t } from '../../i18n';
import type { Group, Operation, Parameter, Payload } from './openapi';
import { limits } from './openapi';
import { Type } from './Type';

export function Operations({ group: { tag, operations } }: { group: Group }) {
  return (
    <section class="card" id={`group-${tag}`} data-testid={`docs-group-${tag}`}>
      <h2>
        <code>{tag}</code>
      </h2>
      {operations.map((operation) => (
        <OperationEntry key={operation.id} operation={operation} />
      ))}
    </section>
  );
}

function OperationEntry({ operation }: { operation: Operation }) {
  const { id, method, path, summary, parameters, body, status, reply } = operation;
  return (
    <article class="operation" id={id} data-testid={`docs-operation-${id}`}>
      <h3>
        <span class={`method method-${method.toLowerCase()}`}>{method}</span> <code>{path}</code>
      </h3>
      <p>{summary}</p>
      <dl class="facts">
        <div class="fact">
          <dt>{t('docs.who')}</dt>
          <dd>{whoWords(operation)}</dd>
        </div>
        {parameters.length > 0 && (
          <div class="fact">
            <dt>{t('docs.parameters')}</dt>
            <dd>
              {parameters.map((parameter) => (
                <ParameterLine key={parameter.name} parameter={parameter} />
              ))}
            </dd>
          </div>
        )}
        {body && (
          <div class="fact">
            <dt>{t('docs.body')}</dt>
            <dd>
              <PayloadWords payload={body} />
            </dd>
          </div>
        )}
        <div class="fact">
          <dt>{t('docs.reply')}</dt>
          <dd>
            {status} {reply ? <PayloadWords payload={reply} /> : t('docs.no_body')}
          </dd>
        </div>
      </dl>
    </article>
  );
}

/** The roles that may call; the words for a role that is new here are its own name. */
function whoWords({ roles }: Operation): string {
  if (roles.length === 0) return t('docs.anyone');
  return roles.map((role) => (known(`role.${role}`) ? t(`role.${role}`) : role)).join(t('docs.or'));
}

function ParameterLine({ parameter: { name, in: place, required, schema } }: { parameter: Parameter }) {
  return (
    <div>
      <code>
        {place === 'path' ? `{${name}}` : `?${name}`}: <Type schema={schema} />
      </code>{' '}
      <span class="quiet-label">
        {required ? t('docs.required') : ''} {limits(schema)}
      </span>
    </div>
  );
}

function PayloadWords({ payload: { media, schema } }: { payload: Payload }) {
  return schema ? (
    <code>
      <Type schema={schema} />
    </code>
  ) : (
    <code>{media}</code>
  );
}
