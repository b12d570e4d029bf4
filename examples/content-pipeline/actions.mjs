/** Actions that need nothing but their input. */
export default ({ defineAction, z }) => {
  const text = z.object({ text: z.string() });
  const wordsOf = (content) => content.split(/\s+/).filter(Boolean);
  return [
    defineAction({ name: 'content.countWords', effect: 'none', input: text, run: (input) => wordsOf(input.text).length }),
    defineAction({ name: 'content.judgeTone', effect: 'none', input: text, run: (input) => ({ harsh: /stupid|idiot/i.test(input.text) }) }),
    defineAction({
      name: 'content.summarise',
      effect: 'none',
      input: text.extend({ words: z.number().int() }),
      run: (input) => `${wordsOf(input.text).slice(0, input.words).join(' ')} …`,
    }),
    defineAction({
      name: 'content.render',
      effect: 'idempotent',
      input: z.object({ articleId: z.string(), format: z.string() }),
      run: async ({ articleId, format }, { recordSideEffect }) => {
        const file = `${articleId}.${format}`;
        await recordSideEffect({ file }); // durable at once, whatever becomes of the attempt
        return { file, bytes: file.length * 100 };
      },
    }),
  ];
};
