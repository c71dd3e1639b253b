/** A part whose code is fetched when it is first shown. */

import type { ComponentChildren, ComponentType } from 'preact';

import { Failure, Loading } from './States';
import { useResource } from './resource';

interface LazyProps<P> {
  name: string;
  load: () => Promise<ComponentType<P>>;
  with: P;
  /** in its place until it is there */
  meanwhile?: ComponentChildren;
}

export function Lazy<P extends object>({ name, load, with: props, meanwhile = <Loading /> }: LazyProps<P>) {
  const part = useResource(name, async () => ({ Part: await load() }));
  if (part.data) return <part.data.Part {...props} />;
  return part.error ? <Failure error={part.error} retry={part.reload} /> : <>{meanwhile}</>;
}
