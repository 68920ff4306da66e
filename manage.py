import os
import sys

from django.core.management import execute_from_command_line

from mailsales.stack.commands import services_for

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailsales.settings")
    with services_for(sys.argv):
        execute_from_command_line(sys.argv)
