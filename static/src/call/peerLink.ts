/**
 * Media with one other participant by perfect negotiation. The impolite side (lower ordinal) lays the lines and offers;
 * the polite side answers, and offers itself only when no offer came, which is how a reloaded page says it is new.
 */
import type { SignalBody } from '../shared/protocol';

export type LinkState = 'connecting' | 'connected' | 'lost';

export type PeerOptions = {
  polite: boolean;
  ice: RTCIceServer[];
  send: (body: SignalBody) => void;
  changed: () => void;
  create?: (configuration: RTCConfiguration) => RTCPeerConnection;
};

const OFFER_PATIENCE_MS = 1500;
const DISCONNECTED_PATIENCE_MS = 2000;
const KINDS = ['audio', 'video'] as const;

export class PeerLink {
  readonly remote = new MediaStream();
  state: LinkState = 'connecting';
  private peer: RTCPeerConnection;
  private local: MediaStream = new MediaStream();
  private makingOffer = false;
  private ignoring = false;
  private patience: ReturnType<typeof setTimeout> | undefined;
  /** Signals are handled one after another: each is several awaits long. */
  private queue: Promise<void> = Promise.resolve();

  constructor(private readonly options: PeerOptions) {
    this.peer = this.fresh();
  }

  /** Begins once one's own tracks are known. */
  start(local: MediaStream): void {
    this.local = local;
    if (this.options.polite) this.patience = setTimeout(() => this.layLines(), OFFER_PATIENCE_MS);
    else this.layLines();
  }

  setLocal(local: MediaStream): void {
    this.local = local;
    this.fillSenders();
  }

  receive(body: SignalBody): void {
    this.queue = this.queue.then(() => this.handle(body)).catch(() => this.failed());
  }

  /** The signalling link was away: what was sent meanwhile is lost. */
  signallingBack(): void {
    if (this.state === 'connected') return;
    if (this.peer.signalingState === 'have-local-offer') this.sendDescription();
    else this.restart();
  }

  restart(): void {
    if (this.peer.getTransceivers().length > 0) this.peer.restartIce();
  }

  stats(): Promise<RTCStatsReport> {
    return this.peer.getStats();
  }

  close(): void {
    clearTimeout(this.patience);
    this.peer.close();
  }

  /** Both sides have lost each other's description: begin again from new candidates. */
  private failed(): void {
    if (this.peer.signalingState !== 'closed') this.restart();
  }

  private fresh(): RTCPeerConnection {
    const create = this.options.create ?? ((configuration) => new RTCPeerConnection(configuration));
    const peer = create({ iceServers: this.options.ice });
    peer.onnegotiationneeded = () => void this.offer(peer);
    peer.onicecandidate = ({ candidate }) => candidate && this.options.send({ candidate: candidate.toJSON() });
    peer.ontrack = ({ track }) => this.arrived(track);
    peer.onconnectionstatechange = () => this.watch(peer);
    peer.oniceconnectionstatechange = () => this.watch(peer);
    return peer;
  }

  private layLines(): void {
    if (this.peer.getTransceivers().length > 0) return;
    for (const kind of KINDS) this.peer.addTransceiver(kind, { direction: 'sendrecv' });
    this.fillSenders();
  }

  private fillSenders(): void {
    for (const transceiver of this.peer.getTransceivers()) {
      const track = this.local.getTracks().find(({ kind }) => kind === transceiver.receiver.track.kind) ?? null;
      transceiver.direction = 'sendrecv';
      void transceiver.sender.replaceTrack(track);
    }
  }

  private async offer(peer: RTCPeerConnection): Promise<void> {
    try {
      this.makingOffer = true;
      await peer.setLocalDescription();
      if (peer === this.peer) this.sendDescription();
    } finally {
      this.makingOffer = false;
    }
  }

  private sendDescription(): void {
    const description = this.peer.localDescription;
    if (description) this.options.send({ description: { type: description.type, sdp: description.sdp } });
  }

  private async handle({ description, candidate }: SignalBody): Promise<void> {
    if (description) await this.described(description);
    if (candidate) await this.peer.addIceCandidate(candidate).catch((error: unknown) => this.refuse(error));
  }

  /** A candidate for an offer that was ignored belongs nowhere. */
  private refuse(error: unknown): void {
    if (!this.ignoring) throw error;
  }

  private async described(description: RTCSessionDescriptionInit): Promise<void> {
    clearTimeout(this.patience);
    if (this.isNewPage(description)) this.startOver();
    if (description.type === 'offer') return this.offered(description);
    if (this.peer.signalingState === 'have-local-offer') await this.peer.setRemoteDescription(description);
  }

  private async offered(description: RTCSessionDescriptionInit): Promise<void> {
    const collision = this.makingOffer || this.peer.signalingState !== 'stable';
    this.ignoring = collision && !this.options.polite;
    if (this.ignoring) return;
    await this.peer.setRemoteDescription(description);
    this.fillSenders();
    await this.peer.setLocalDescription();
    this.sendDescription();
  }

  /** A reloaded page has another certificate; its media cannot go through the old connection. */
  private isNewPage({ sdp }: RTCSessionDescriptionInit): boolean {
    const known = fingerprint(this.peer.remoteDescription?.sdp);
    return known !== null && known !== fingerprint(sdp);
  }

  private startOver(): void {
    this.peer.close();
    for (const track of this.remote.getTracks()) this.remote.removeTrack(track);
    this.peer = this.fresh();
  }

  private arrived(track: MediaStreamTrack): void {
    for (const old of this.remote.getTracks()) if (old.kind === track.kind) this.remote.removeTrack(old);
    this.remote.addTrack(track);
    this.options.changed();
  }

  private watch(peer: RTCPeerConnection): void {
    if (peer !== this.peer) return;
    this.state = stateOf(peer, this.state);
    if (peer.iceConnectionState === 'failed') peer.restartIce();
    if (peer.iceConnectionState === 'disconnected') setTimeout(() => this.impatient(peer), DISCONNECTED_PATIENCE_MS);
    this.options.changed();
  }

  private impatient(peer: RTCPeerConnection): void {
    if (peer === this.peer && peer.iceConnectionState === 'disconnected') peer.restartIce();
  }
}

function stateOf(peer: RTCPeerConnection, before: LinkState): LinkState {
  if (peer.connectionState === 'connected') return 'connected';
  const broken = peer.connectionState === 'failed' || peer.connectionState === 'disconnected';
  return broken || before === 'lost' ? 'lost' : 'connecting';
}

/** The certificate named in a session description (RFC 8122 section 5). */
export function fingerprint(sdp: string | undefined): string | null {
  return /^a=fingerprint:(\S+ \S+)/m.exec(sdp ?? '')?.[1] ?? null;
}
