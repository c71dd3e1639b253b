/** A part whose code is fetched when it is first shown. */

import type { ComponentType } from 'preact';

import { Failure, Loading } from './States';
import { useResource } from './resource';

interface LazyProps<P> {
  name: string;
  load: () => Promise<ComponentType<P>>;
  with: P;
}

export function Lazy<P extends object>({ name, load, with: props }: LazyProps<P>) {
  const part = useResource(name, async () => ({ Part: await load() }));
  if (part.data) return <part.data.Part {...props} />;
  return part.error ? <Failure error={part.error} retry={part.reload} /> : <Loading />;
}
