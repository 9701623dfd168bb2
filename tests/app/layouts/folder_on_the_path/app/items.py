NAME = "folder_on_the_path"
