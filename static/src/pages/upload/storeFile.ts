import { ApiError } from '../../api/http';
import { readStoreAnswer, type StoreOutcome } from '../../api/stow';
import type { Send } from './queue';

/** One STOW-RS request with the file as its body; XMLHttpRequest, because fetch tells nothing of bytes going out. */
export const storeFile: Send = (file, onProgress, abort) =>
  new Promise<StoreOutcome>((resolve, reject) => {
    const request = new XMLHttpRequest();
    const lost = () => reject(new ApiError('network', 0, 'The server cannot be reached'));
    request.open('POST', '/dicom-web/studies');
    request.setRequestHeader('Content-Type', 'application/dicom');
    request.setRequestHeader('Accept', 'application/dicom+json');
    request.upload.addEventListener('progress', ({ loaded }) => onProgress(loaded));
    request.addEventListener('error', lost);
    request.addEventListener('abort', lost);
    request.addEventListener('load', () => {
      const answer = readStoreAnswer({
        status: request.status,
        body: request.responseText,
        warning: request.getResponseHeader('Warning'),
      });
      if (answer instanceof ApiError) reject(answer);
      else resolve(answer);
    });
    abort.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });
