import { useResource } from '../../components/resource';
import { t } from '../../i18n';

const DOORS = ['/healthz', '/readyz', '/metrics'] as const;

/** Whether each door answers, and the door itself for those who watch machines. */
export function HealthSection() {
  return (
    <ul class="health-list">
      {DOORS.map((door) => (
        <Door key={door} address={door} />
      ))}
    </ul>
  );
}

function Door({ address }: { address: (typeof DOORS)[number] }) {
  const answer = useResource(address, async () => (await fetch(address)).ok);
  const state = answer.error || answer.data === false ? 'bad' : answer.data === null ? 'asking' : 'good';
  return (
    <li class="card health" data-testid={`health${address.replace('/', '-')}`}>
      <strong>{t(`health.${address.slice(1)}`)}</strong>
      <span class={`badge badge-health-${state}`}>{t(`health.${state}`)}</span>
      <a href={address} target="_blank" rel="noopener">
        {address}
      </a>
    </li>
  );
}
