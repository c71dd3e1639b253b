/** What a page shows when it has nothing to show: each says what to do. */

import type { ComponentChildren } from 'preact';

import { ApiError } from '../api/http';
import { errorText, t } from '../i18n';
import type { Resource } from './resource';

export function Loading() {
  return (
    <div class="state state-loading" role="status" data-testid="state-loading">
      <progress aria-label={t('state.loading')} />
      <p>{t('state.loading')}</p>
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="state" data-testid="state-empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const missing = error instanceof ApiError && error.status === 404;
  return (
    <div class="state" role="alert" data-testid="state-error">
      <h2>{missing ? t('state.notfound') : t('state.failed')}</h2>
      <p>{errorText(error)}</p>
      {missing && (
        <a class="button primary" href="/" data-testid="state-home">
          {t('notfound.home')}
        </a>
      )}
      {retry && !missing && (
        <button type="button" class="button" onClick={retry}>
          {t('state.retry')}
        </button>
      )}
    </div>
  );
}

/** A refusal beside the button that caused it. */
export function Refusal({ error }: { error: unknown }) {
  return error ? (
    <p class="refusal" role="alert" data-testid="refusal">
      {errorText(error)}
    </p>
  ) : null;
}

interface FetchedProps<T> {
  resource: Resource<T>;
  children: (data: T) => ComponentChildren;
}

export function Fetched<T>({ resource, children }: FetchedProps<T>) {
  if (resource.data !== null) return <>{children(resource.data)}</>;
  if (resource.error) return <Failure error={resource.error} retry={resource.reload} />;
  return <Loading />;
}
