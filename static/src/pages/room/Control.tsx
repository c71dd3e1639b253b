/** Who leads, whether one follows, and what the link does: over the image, quiet, with the next step as one button. */
import { t } from '../../i18n';
import { mayI } from '../../shared/roomState';
import { useSeconds } from './Head';
import type { RoomSession } from './session';

export function ControlPill({ session }: { session: RoomSession }) {
  const state = session.client.state.value;
  if (!state.me) return null;
  return (
    <div class="control-pill" data-testid="room-control" data-presenting={session.presenting.value} data-diverged={session.diverged.value}>
      {session.presenting.value ? <Presenting session={session} /> : <Watching session={session} />}
    </div>
  );
}

function Presenting({ session }: { session: RoomSession }) {
  const { requests } = session.client.state.value;
  return (
    <>
      <span>{t('room.control.mine')}</span>
      {requests.map(({ from }) => (
        <span key={from} class="control-request" data-testid={`room-request-${from}`}>
          {t('room.control.asks', { name: session.nameOf(from) })}
          <button type="button" class="button primary" onClick={() => session.grantControl(from)} data-testid={`room-grant-${from}`}>
            {t('room.control.grant')}
          </button>
        </span>
      ))}
      {requests.length === 0 && <GiveAway session={session} />}
    </>
  );
}

function GiveAway({ session }: { session: RoomSession }) {
  const state = session.client.state.value;
  const able = Object.values(state.participants).filter((one) => one.id !== state.me && one.state === 'online' && one.grants.includes('present'));
  return (
    <>
      {able.map((one) => (
        <button key={one.id} type="button" class="button" onClick={() => session.grantControl(one.id)} data-testid={`room-give-${one.id}`}>
          {t('room.control.give', { name: one.name })}
        </button>
      ))}
    </>
  );
}

function Watching({ session }: { session: RoomSession }) {
  const presenter = session.presenter.value;
  return (
    <>
      {presenter ? <Following session={session} name={presenter.name} /> : <span>{t('room.control.nobody')}</span>}
      {mayI(session.client.state.value, 'present') && <Take session={session} name={presenter?.name ?? null} />}
    </>
  );
}

function Following({ session, name }: { session: RoomSession; name: string }) {
  if (!session.diverged.value) return <span data-testid="room-following">{t('room.follow.following', { name })}</span>;
  return (
    <span class="control-diverged" data-testid="room-diverged">
      {t('room.follow.diverged', { name })}
      <button type="button" class="button primary" onClick={() => session.follow()} data-testid="room-follow">
        {t('room.follow.back')}
      </button>
    </span>
  );
}

function Take({ session, name }: { session: RoomSession; name: string | null }) {
  const state = session.client.state.value;
  const asked = state.requests.some(({ from }) => from === state.me);
  if (asked && name) return <span data-testid="room-requested">{t('room.control.requested', { name })}</span>;
  return (
    <button type="button" class="button" onClick={() => session.requestControl()} data-testid="room-control-take">
      {t(name ? 'room.control.request' : 'room.control.take')}
    </button>
  );
}

/** The first second of a lost link is nobody's business: most are back by then. */
const WORTH_SAYING_MS = 1000;

export function LinkBar({ session }: { session: RoomSession }) {
  const { lostAt, phase } = session.client.link.value;
  if (phase === 'open' || lostAt === null || !session.client.state.value.me) return null;
  return <LostFor since={lostAt} />;
}

function LostFor({ since }: { since: number }) {
  const lost = useSeconds() - since;
  if (lost < WORTH_SAYING_MS) return null;
  return (
    <div class="link-bar" role="status" data-testid="room-reconnecting">
      {t('room.reconnecting')} · {t('room.reconnecting.since', { value: Math.floor(lost / 1000) })}
    </div>
  );
}

export function Toast({ session }: { session: RoomSession }) {
  const words = session.toast.value;
  return words ? (
    <div class="room-toast" role="alert" data-testid="room-toast">
      {words}
    </div>
  ) : null;
}
