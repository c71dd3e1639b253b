/** The column of people and words; on a narrow screen a sheet that opens from a bar at the bottom. */
import { useEffect, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';

import type { Consultation, Finding, Review } from '../../api/types';
import type { Resource } from '../../components/resource';
import { Tiles } from '../../call/Tiles';
import { MESH_SIZE } from '../../call/call';
import { t } from '../../i18n';
import { roster, shownChat } from '../../shared/roomState';
import { FindingsPanel } from '../study/FindingsPanel';
import { Chat } from './Chat';
import { Opinion } from './Opinion';
import { RequestSheet } from './RequestSheet';
import type { RoomSession } from './session';

type SideProps = {
  session: RoomSession;
  consultation: Consultation;
  replace: (changed: Consultation) => void;
  review: Resource<Review>;
  focus: string | null;
  jump: (finding: string) => void;
};

const TABS = ['people', 'chat', 'opinion', 'findings', 'request'] as const;
type TabName = (typeof TABS)[number];

/** As in room.css: here the column is a sheet that its tab closes, and people have a tab of their own. */
const NARROW = '(width < 1000px)';
const narrow = () => matchMedia(NARROW).matches;

export function Side(props: SideProps) {
  const { session, consultation } = props;
  const writes = consultation.actions.includes('write_opinion');
  const [tab, setTab] = useState<TabName>(() => firstTab(writes));
  const [open, setOpen] = useState(true);
  const choose = (name: TabName) => {
    setOpen(name !== tab || !open || !narrow());
    setTab(name);
  };
  return (
    <aside class={`room-side${open ? ' side-open' : ''}`} data-tab={tab}>
      <People session={session} />
      <TabBar session={session} review={props.review} tab={tab} open={open} choose={choose} />
      <div class="side-sheet">
        <Sheet tab={tab} {...props} />
      </div>
    </aside>
  );
}

/** Image and faces first; on a wide window the faces are always there. */
function firstTab(writes: boolean): TabName {
  if (narrow()) return 'people';
  return writes ? 'opinion' : 'chat';
}

function People({ session }: { session: RoomSession }) {
  const state = session.client.state.value;
  const people = roster(state);
  return (
    <section class="room-people" aria-label={t('room.people')} data-testid="room-people" data-count={people.length}>
      <Tiles call={session.call} me={state.me} people={people} presenter={state.presenter} colorOf={(id) => session.colorOf(id)} />
      {people.length > MESH_SIZE && <p class="quiet-label">{t('call.too_many')}</p>}
    </section>
  );
}

type TabBarProps = { session: RoomSession; review: Resource<Review>; tab: TabName; open: boolean; choose: (tab: TabName) => void };

function TabBar({ session, review, tab, open, choose }: TabBarProps) {
  const unread = useUnread(session, tab === 'chat' && open);
  const unassessed = review.data?.findings.filter(({ assessment }) => !assessment).length ?? 0;
  const counts: Partial<Record<TabName, number>> = { chat: unread, findings: unassessed };
  return (
    <nav class="side-tabs">
      {TABS.map((name) => (
        <button key={name} type="button" class={`side-tab side-tab-${name}`} aria-pressed={tab === name} onClick={() => choose(name)} data-testid={`room-tab-${name}`}>
          {t(`room.tab.${name}`)}
          {(counts[name] ?? 0) > 0 && <span class="count">{counts[name]}</span>}
        </button>
      ))}
    </nav>
  );
}

/** Lines of others that came while the chat was out of sight. */
function useUnread(session: RoomSession, visible: boolean): number {
  const state = session.client.state.value;
  const total = shownChat(state).filter(({ from }) => from !== state.me).length;
  const [seen, setSeen] = useState(0);
  useEffect(() => {
    if (visible || total < seen) setSeen(total);
  }, [visible, total]);
  return visible ? 0 : Math.max(0, total - seen);
}

function Sheet({ tab, session, consultation, replace, review, focus, jump }: SideProps & { tab: TabName }) {
  const assessed = (changed: Finding) => {
    if (!review.data) return;
    const findings = review.data.findings.map((one) => (one.finding_id === changed.finding_id ? changed : one));
    review.replace({ ...review.data, findings });
  };
  return (
    <>
      <Pane shown={tab === 'chat'}>
        <Chat session={session} />
      </Pane>
      <Pane shown={tab === 'opinion'}>
        <Opinion consultation={consultation} replace={replace} />
      </Pane>
      <Pane shown={tab === 'findings'}>
        <FindingsPanel review={review} chosen={focus} onChoose={jump} onAssessed={assessed} />
      </Pane>
      <Pane shown={tab === 'request'}>
        <RequestSheet consultation={consultation} />
      </Pane>
    </>
  );
}

/** Hidden, not removed: what was typed stays. */
function Pane({ shown, children }: { shown: boolean; children: ComponentChildren }) {
  return (
    <div class="side-pane" hidden={!shown}>
      {children}
    </div>
  );
}
