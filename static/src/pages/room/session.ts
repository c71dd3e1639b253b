/**
 * One stay in a room: joins the room client, the call and the viewer, and decides whose view is shown.
 * A presenter's own moves are sent; everybody else follows until they move by themselves.
 */
import { computed, effect, signal } from '@preact/signals';

import { joinRoom } from '../../api/endpoints';
import { ApiError } from '../../api/http';
import type { JoinAnswer } from '../../api/types';
import { Call } from '../../call/call';
import { stop } from '../../call/media';
import { errorText, known, t } from '../../i18n';
import { Latest } from '../../shared/latest';
import type { Mark, Point, View } from '../../shared/protocol';
import { JoinRefused, RoomClient, type Ticket } from '../../shared/roomClient';
import { iPresent, mayI, sharedView, shownMarks } from '../../shared/roomState';
import type { Viewer } from '../../viewer/viewer';
import { colorOfOrdinal } from './colors';

/** 30 Hz: what eyes take for continuous, half of what the room admits. */
const STREAM_MS = 33;
const TOAST_MS = 4000;
/** Refusals that a little patience mends: request timeout, too many requests. */
const PASSING = [408, 429];

export class RoomSession {
  readonly client: RoomClient;
  readonly call: Call;
  readonly following = signal(true);
  readonly toast = signal<string | null>(null);
  readonly enteredAt = Date.now();
  readonly presenting = computed(() => iPresent(this.client.state.value));
  readonly presenter = computed(() => {
    const { participants, presenter } = this.client.state.value;
    return presenter ? (participants[presenter] ?? null) : null;
  });
  readonly diverged = computed(() => !this.following.value && this.presenter.value !== null && !this.presenting.value);
  private readonly views = new Latest<View>(STREAM_MS, (view) => this.client.post('view.set', view));
  private readonly pointers = new Latest<Point | null>(STREAM_MS, (at) => this.sendPointer(at));
  private readonly undo: (() => void)[];
  private settled = false;
  private wasPresenting = false;
  private wasOpen = false;
  /** Nobody has heard yet what this presenter looks at: just taken over, or back after a lost link. */
  private untold = true;
  /** the view that was applied last while following */
  private followed: View | null = null;
  private toastTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(consultation: string, first: JoinAnswer, readonly viewer: Viewer, private readonly local: MediaStream) {
    this.client = new RoomClient({
      join: ticketSource(consultation, first),
      onMessage: (message) => this.call.receive(message),
      onRefused: (code) => this.say(refusalWords(code)),
    });
    this.call = new Call(this.client, local, first.ice_servers);
    this.listenToViewer();
    this.undo = [effect(() => this.followRoom()), effect(() => void (this.viewer.marks.value = shownMarks(this.client.state.value)))];
    this.client.start();
  }

  leave(): void {
    for (const off of this.undo) off();
    this.views.close();
    this.pointers.close();
    this.call.close();
    this.client.leave();
    stop(this.local);
  }

  colorOf(id: string): string {
    return colorOfOrdinal(this.client.state.value.participants[id]?.ordinal ?? 1);
  }

  nameOf(id: string): string {
    return this.client.state.value.participants[id]?.name ?? '';
  }

  mayRemove(id: string): boolean {
    const { marks, me } = this.client.state.value;
    return this.presenting.value || (marks[id]?.author ?? me) === me;
  }

  follow(): void {
    this.following.value = true;
  }

  toggleFollow(): void {
    if (!this.presenting.value) this.following.value = !this.following.value;
  }

  requestControl(): void {
    this.client.command('control.request', {});
  }

  grantControl(to: string): void {
    this.client.command('control.grant', { to });
  }

  releaseControl(): void {
    this.client.command('control.release', {});
  }

  say(words: string): void {
    clearTimeout(this.toastTimer);
    this.toast.value = words;
    this.toastTimer = setTimeout(() => (this.toast.value = null), TOAST_MS);
  }

  private listenToViewer(): void {
    this.viewer.onUserView = (view) => this.moved(view);
    this.viewer.onMarkAdded = (mark: Mark) => void this.client.command('mark.add', { mark });
    this.viewer.onMarkRemoved = (id) => void (this.mayRemove(id) && this.client.command('mark.remove', { id }));
    this.viewer.onPointer = (at) => this.pointers.offer(at);
  }

  private moved(view: View): void {
    if (this.presenting.peek()) this.views.offer(view);
    else if (this.presenter.peek()) this.following.value = false;
  }

  private sendPointer(at: Point | null): void {
    const place = this.viewer.place();
    if (!at || !place) return this.client.post('pointer.hide', {});
    const { study, sop_instance_uid, frame } = place;
    this.client.post('pointer.move', { study, sop_instance_uid, frame, x: at[0], y: at[1] });
  }

  /** Runs at every change of the room: what to show, what to tell. */
  private followRoom(): void {
    const state = this.client.state.value;
    const open = this.client.link.value.phase === 'open';
    const presenting = this.presenting.value;
    const view = sharedView(state);
    const opened = open && !this.wasOpen;
    const tookOver = presenting && !this.wasPresenting;
    const handedOver = !presenting && this.wasPresenting;
    this.wasOpen = open;
    this.wasPresenting = presenting;
    if (!state.me) return;
    if (handedOver) queueMicrotask(() => this.follow());
    if (!this.settled) {
      this.settled = true;
      return queueMicrotask(() => this.settle(view));
    }
    if (tookOver || opened) this.untold = true;
    if (presenting && this.untold && this.viewer.status.value === 'shown') this.tellView();
    const follows = !presenting && this.following.value;
    // The room also changes with every pointer and chat line; the same view need not be drawn again for those.
    if (follows && view && view !== this.followed) this.show(view);
    this.followed = follows ? view : null;
  }

  /** The first picture: what the room shows, else what the viewer opened by itself. */
  private settle(view: View | null): void {
    void Promise.resolve(view && this.viewer.applyView(view)).then(() => this.startPresenting(view));
  }

  /** The side that invited begins: somebody must, and it is their patient. */
  private startPresenting(view: View | null): void {
    const state = this.client.state.peek();
    const mine = state.participants[state.me];
    if (!state.presenter && !view && mine?.role === 'requester' && mayI(state, 'present')) this.requestControl();
    else if (view) this.show(sharedView(state) ?? view);
  }

  private show(view: View): void {
    // The viewer writes signals of its own; inside the effect that called us they would be read as dependencies.
    queueMicrotask(() => void this.viewer.applyView(view));
  }

  private tellView(): void {
    this.untold = false;
    queueMicrotask(() => {
      const view = this.viewer.getView();
      if (view) this.views.offer(view);
    });
  }
}

/** The first ticket came with the answer that opened the page; each later one is fetched. */
function ticketSource(consultation: string, first: JoinAnswer): () => Promise<Ticket> {
  let unused: JoinAnswer | null = first;
  return async () => {
    const answer = unused ?? (await joinRoom(consultation).catch(refuseForGood));
    unused = null;
    return { ticket: answer.ticket, url: answer.signaling_url };
  };
}

function refuseForGood(error: unknown): never {
  const final = error instanceof ApiError && error.status >= 400 && error.status < 500 && !PASSING.includes(error.status);
  throw final ? new JoinRefused(errorText(error)) : error;
}

function refusalWords(code: string): string {
  const key = `room.refused.${code}`;
  return known(key) ? t(key) : t('room.refused.other', { value: code });
}
