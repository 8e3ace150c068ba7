// A field for files. What is chosen is sent to the server at once; the server says what became of it.

export default {
  template: `<input type="file" class="input" :multiple="multiple" :disabled="sending" @change="send" ref="field" />`,
  props: { url: String, multiple: Boolean },
  data: () => ({ sending: false }),
  methods: {
    async send() {
      const files = [...this.$refs.field.files];
      if (!files.length) return;
      this.sending = true;
      const form = new FormData();
      for (const file of files) form.append("file", file, file.name);
      try {
        const answer = await fetch(window.path_prefix + this.url, { method: "POST", body: form });
        if (!answer.ok) this.$emit("refused", answer.status);
      } catch {
        this.$emit("refused", 0);
      } finally {
        this.sending = false;
        this.$refs.field.value = "";
      }
    },
  },
};
