import { lockFolder } from '../src/folder-lock';

/** Tries to take the lock of the folder it is told, keeps it until it is told '', and answers 'held', or why it was refused. */
let unlock: (() => void) | undefined;
if (process.getuid?.() === 0) process.setuid?.('nobody'); // root may write everything

process.on('message', (folder: string) => {
  process.send?.(folder === '' ? free() : take(folder));
});

const free = (): string => {
  unlock?.();
  unlock = undefined;
  return 'free';
};

const take = (folder: string): string => {
  try {
    unlock = lockFolder(folder);
    return 'held';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};
