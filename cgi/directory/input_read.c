#include "cgi/directory/input_read.h"

int input_open(const struct input_file *input, bool *gone, struct error *err)
{
	*gone = false;
	if (input->live)
		return memory_file_open(input->live, err);
	return source_file_open(input->dir_fd, input->file->name, gone, err);
}

int input_read(const struct input_file *input, struct file_bytes *bytes, bool *gone,
	       struct error *err)
{
	*gone = false;
	if (!input->live)
		return source_file_read(input->dir_fd, input->file->name, bytes, gone, err);
	file_bytes_share(bytes, input->live);
	return 0;
}

int input_identify(const struct input_file *input, struct file_identity *identity, bool *gone,
		   struct error *err)
{
	*gone = false;
	if (!input->live)
		return source_file_identify(input->dir_fd, input->file->name, identity, gone, err);
	*identity = (struct file_identity){.size = input->file->size};
	return 0;
}
