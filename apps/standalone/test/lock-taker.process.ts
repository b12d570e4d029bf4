import { lockFolder } from '../src/folder-lock';

/** Tries to take the lock of the folder it is told, keeps it until it is told the next, and answers whether it got it. */
let unlock: (() => void) | undefined;

process.on('message', (folder: string) => {
  unlock?.();
  unlock = undefined;
  if (folder === '') return void process.send?.('free');
  try {
    unlock = lockFolder(folder);
  } catch {
    // another one has it
  }
  process.send?.(unlock === undefined ? 'refused' : 'held');
});
