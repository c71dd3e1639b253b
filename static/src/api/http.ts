/** One way to talk to the server: JSON in, JSON out, every refusal an ApiError with a stable code. */

/** A refusal, or a failure to reach the server (`network`, status 0). `facts` are the problem document's members. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    readonly title: string,
    readonly facts: Record<string, unknown> = {},
  ) {
    super(title);
    this.name = 'ApiError';
  }
}

type Query = Record<string, string | number | undefined>;

let onUnauthenticated: () => void = () => undefined;

/** Called whenever the server no longer knows who is asking. */
export function whenUnauthenticated(listener: () => void): void {
  onUnauthenticated = listener;
}

export const get = <T>(path: string, query: Query = {}): Promise<T> => send<T>('GET', path + search(query));
export const post = <T>(path: string, body: object = {}): Promise<T> => send<T>('POST', path, body);
export const put = <T>(path: string, body: object): Promise<T> => send<T>('PUT', path, body);
export const patch = <T>(path: string, body: object): Promise<T> => send<T>('PATCH', path, body);
export const remove = (path: string): Promise<void> => send<void>('DELETE', path);

export function search(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') params.set(name, String(value));
  }
  const text = params.toString();
  return text && `?${text}`;
}

/** The API's own description: it stands beside the versions that it describes. */
export const getDescription = <T>(): Promise<T> => ask<T>('GET', '/api/openapi.json');

function send<T>(method: string, path: string, body?: object): Promise<T> {
  return ask<T>(method, `/api/v1${path}`, body);
}

async function ask<T>(method: string, url: string, body?: object): Promise<T> {
  const reply = await reach(url, {
    method,
    headers: { Accept: 'application/json', ...(body && { 'Content-Type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!reply.ok) throw await refusal(reply);
  return (reply.status === 204 ? undefined : await reply.json()) as T;
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { credentials: 'same-origin', ...init });
  } catch {
    throw new ApiError('network', 0, 'The server cannot be reached');
  }
}

async function refusal(reply: Response): Promise<ApiError> {
  const error = problem(reply.status, await reply.text());
  if (error.code === 'unauthenticated') onUnauthenticated();
  return error;
}

/** Reads a problem document (RFC 9457); a body that is none still makes an ApiError. */
export function problem(status: number, text: string): ApiError {
  try {
    const document = JSON.parse(text) as Record<string, unknown>;
    return new ApiError(String(document.code ?? 'internal'), status, String(document.title ?? status), document);
  } catch {
    return new ApiError(status >= 502 && status <= 504 ? 'unavailable' : 'internal', status, `HTTP ${status}`);
  }
}
