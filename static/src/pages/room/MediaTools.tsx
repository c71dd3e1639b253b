import { t } from '../../i18n';
import { ToolButton } from '../../viewer/Toolbar';
import type { RoomSession } from './session';

/** One's own microphone and camera, beside the image tools: reachable in every layout. */
export function MediaTools({ session }: { session: RoomSession }) {
  const { call } = session;
  const tracks = call.local.value;
  const [audio, video] = [call.audio.value, call.video.value];
  return (
    <span class="tool-group media-tools">
      <ToolButton
        icon={audio ? 'mic' : 'mic_off'}
        words={t(audio ? 'call.microphone.mute' : 'call.microphone.unmute')}
        pressed={audio}
        disabled={tracks.getAudioTracks().length === 0}
        testid="call-audio"
        act={() => call.toggleAudio()}
      />
      <ToolButton
        icon={video ? 'camera' : 'camera_off'}
        words={t(video ? 'call.camera.off' : 'call.camera.on')}
        pressed={video}
        disabled={tracks.getVideoTracks().length === 0}
        testid="call-video"
        act={() => call.toggleVideo()}
      />
    </span>
  );
}
